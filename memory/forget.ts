/** Forgetting by capacity: what has expired first, then what is said twice, then what matters least. */
import { allRecords } from './all-records.ts'
import { FactIndex } from './fact-index.ts'
import { FACTS_DOCUMENT, isCurrent } from './fact-record.ts'
import type { MemoryRecord } from './memory-record.ts'
import type { MemoryStore } from './memory-store.ts'
import { compareText } from './rank-candidates.ts'
import { isExpired } from './record-filter.ts'

const DAY = 24 * 60 * 60 * 1000
/** Records deleted together. */
const PAGE = 256

export interface ForgetOptions {
  readonly scope: string
  /** Most records of the kinds that may go, from 0: facts, and with `includeTurns` turns as well. */
  readonly capacity: number
  /** The current time, milliseconds since 1970. */
  readonly now: number
  /**
   * Whether facts that say the same become one, with the sources of all, before any other goes; true by default. Vectors are compared among facts
   * with the same numbers, names, relations and negation: of 10,000 facts of one kind in some ten seconds, during which others get their turn.
   */
  readonly merge?: boolean
  /** Least cosine similarity of two facts that say the same; see `isSameFact`. */
  readonly threshold?: number
  /** Lets raw turns go as well, and with them the facts that rest on them alone; false by default. */
  readonly includeTurns?: boolean
  /** Newest turns of each conversation that stay in any case; 50 by default. */
  readonly keepNewest?: number
  /** Milliseconds after which what is not recalled counts half; 30 days by default. */
  readonly halfLife?: number
  /** Says what would go, and lets nothing go. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

export interface Forgotten {
  /** Ids of what had expired. */
  readonly expired: readonly string[]
  /** Ids of facts that became part of another. */
  readonly merged: readonly { readonly id: string; readonly into: string }[]
  /** Ids of what mattered least, in the order in which it went. Facts that went with their turns are not named, but counted in `left`. */
  readonly forgotten: readonly string[]
  /** Records of the kinds that may go which are left. */
  readonly left: number
}

/**
 * Brings a scope down to a number of records. Nothing pinned goes, nor a turn that a pinned fact rests on alone, nor the newest turns, so
 * that more than `capacity` may be left. Worth is importance (0.5 where unknown) × 0.5 ^ (age / halfLife) × (1 + recalls); facts that are
 * no longer in force go before others, and a turn is worth as much as the best fact that rests on it alone.
 *
 * @throws RangeError when `capacity` or `keepNewest` is not a whole number from 0, or `halfLife` not above 0
 */
export async function forget(store: MemoryStore, options: ForgetOptions): Promise<Forgotten> {
  checkOptions(options)
  const { scope, capacity, now, merge = true, dryRun = false } = options
  const records = await candidates(store, options)
  const expired = records.filter((record) => isExpired(record, now)).map(({ id }) => id)
  if (!dryRun) await store.delete(scope, expired)
  const gone = new Set(expired)
  const present = (): MemoryRecord[] => records.filter(({ id }) => !gone.has(id))
  const merged =
    merge && records.length - gone.size > capacity ? await mergeFacts(store, present(), options, records.length - gone.size - capacity) : []
  for (const { id } of merged) gone.add(id)
  const ranked = await byWorth(store, present(), options)
  return { expired, merged, ...(await letGo(store, ranked, options, records.length - gone.size)) }
}

function checkOptions({ capacity, keepNewest = 0, halfLife = 1 }: ForgetOptions): void {
  for (const [name, value] of Object.entries({ capacity, keepNewest })) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Cannot forget as ${name} is not a whole number from 0: ${value}`)
  }
  if (!(halfLife > 0)) throw new RangeError(`Cannot forget as halfLife is not above 0: ${halfLife}`)
}

/** All records of the kinds that may go, without the vectors of turns, which nothing here needs. */
async function candidates(store: MemoryStore, { scope, includeTurns = false, signal }: ForgetOptions): Promise<MemoryRecord[]> {
  const found: MemoryRecord[] = []
  const reading = allRecords(store, scope, { ...(!includeTurns && { documentIds: [FACTS_DOCUMENT] }), ...(signal && { signal }) })
  for await (const record of reading) {
    const { vector: _vector, ...slim } = record
    if (record.kind === 'fact') found.push(record)
    else if (record.kind === 'turn') found.push(slim)
  }
  return found
}

/** Of facts that say the same, a pinned one stays, else the newest, with the sources of all; at most `most` become part of another. */
async function mergeFacts(
  store: MemoryStore,
  records: readonly MemoryRecord[],
  options: ForgetOptions,
  most: number,
): Promise<Forgotten['merged'][number][]> {
  const { now, scope, threshold, dryRun = false, signal } = options
  const facts = records
    .filter((record) => record.kind === 'fact' && isCurrent(record, now))
    .toSorted(
      (one, other) =>
        Number(other.pinned ?? false) - Number(one.pinned ?? false) || timeOf(other) - timeOf(one) || compareText(one.id, other.id),
    )
  const kept = new FactIndex(threshold)
  const merged: { id: string; into: string }[] = []
  const sources = new Map<string, string[]>()
  for (const [at, fact] of facts.entries()) {
    signal?.throwIfAborted()
    if (at % PAGE === PAGE - 1) await new Promise((resolve) => setImmediate(resolve))
    const same = merged.length < most && !fact.pinned ? kept.findSame(fact) : undefined
    if (!same) {
      kept.set(fact)
      continue
    }
    merged.push({ id: fact.id, into: same.id })
    sources.set(same.id, [...(sources.get(same.id) ?? same.sources ?? []), ...(fact.sources ?? [])])
  }
  if (dryRun) return merged
  // A fact without sources rests on none, and must not begin to.
  const changed = facts.filter(({ id, sources: own = [] }) => sources.has(id) && own.length > 0)
  await store.put(Array.from(changed, (record) => ({ ...record, sources: [...new Set(sources.get(record.id))] })))
  await store.delete(
    scope,
    merged.map(({ id }) => id),
  )
  return merged
}

/** What may go, least worth first. */
async function byWorth(store: MemoryStore, records: readonly MemoryRecord[], options: ForgetOptions): Promise<MemoryRecord[]> {
  const { scope, now, halfLife = 30 * DAY, signal } = options
  const spared = sparedTurns(records, options.keepNewest ?? 50)
  const worth = new Map<string, number>()
  for (const record of records) {
    signal?.throwIfAborted()
    const { accesses = 0, accessedAt } = (await store.use(scope, record.id)) ?? {}
    const age = Math.max(0, now - (accessedAt ?? record.createdAt ?? 0))
    worth.set(record.id, (record.importance ?? 0.5) * 0.5 ** (age / halfLife) * (1 + accesses))
  }
  for (const { id, kind, sources = [] } of records) {
    const [only] = sources
    if (kind === 'fact' && only !== undefined && sources.length === 1) worth.set(only, Math.max(worth.get(only) ?? 0, worth.get(id) ?? 0))
  }
  const order = (record: MemoryRecord): number => Number(record.kind !== 'fact' || isCurrent(record, now))
  return records
    .filter((record) => !record.pinned && !spared.has(record.id))
    .toSorted(
      (one, other) =>
        order(one) - order(other) ||
        (worth.get(one.id) ?? 0) - (worth.get(other.id) ?? 0) ||
        timeOf(one) - timeOf(other) ||
        compareText(one.id, other.id),
    )
}

/** The newest turns of each conversation, and those that pinned facts rest on. */
function sparedTurns(records: readonly MemoryRecord[], keepNewest: number): Set<string> {
  const spared = new Set(records.flatMap(({ pinned = false, sources = [] }) => (pinned ? sources : [])))
  const conversations = new Map<string, MemoryRecord[]>()
  for (const record of records) {
    if (record.kind !== 'turn') continue
    const turns = conversations.get(record.documentId) ?? []
    turns.push(record)
    conversations.set(record.documentId, turns)
  }
  for (const turns of conversations.values()) {
    const newest = turns.toSorted((one, other) => other.index - one.index).slice(0, keepNewest)
    for (const { id } of newest) spared.add(id)
  }
  return spared
}

async function letGo(
  store: MemoryStore,
  ranked: readonly MemoryRecord[],
  { scope, capacity, dryRun = false, signal }: ForgetOptions,
  count: number,
): Promise<Pick<Forgotten, 'forgotten' | 'left'>> {
  const forgotten: string[] = []
  let left = count
  while (left > capacity && forgotten.length < ranked.length) {
    signal?.throwIfAborted()
    const ids = ranked.slice(forgotten.length, forgotten.length + Math.min(PAGE, left - capacity)).map(({ id }) => id)
    left -= dryRun ? ids.length : await store.delete(scope, ids)
    forgotten.push(...ids)
  }
  return { forgotten, left }
}

function timeOf({ createdAt = 0 }: MemoryRecord): number {
  return createdAt
}
