/** Facts about the user, drawn from the turns of a conversation and kept as records that name the turns they rest on. */
import { type FactExtractor, findFacts } from '../agents/index.ts'
import { checkEmbedder, FACTS_DOCUMENT, type MemoryRecord, type MemoryStore } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import { FactBook, type FactChange, type SaidFact, withoutPlace } from './fact-book.ts'
import { createStandaloneStep } from './standalone-step.ts'
import type { Step } from './strategy.ts'

export interface DeriveFactsOptions {
  readonly memory: MemoryStore
  readonly scope: string
  /** The conversation. */
  readonly threadId: string
  /** Index of the first turn to read; 0 by default. `DerivedFacts.next` is where to go on. */
  readonly from?: number
  /** Index behind the last turn to read; the end by default. */
  readonly until?: number
  /** Draws facts with a model; rules of English without one (`findFacts`). */
  readonly extractor?: FactExtractor
  /** The store's embedder: facts get vectors, and one that was said in other words before is known again. */
  readonly embedder?: NamedEmbedder
  /** Least cosine similarity of two facts that say the same; see `isSameFact`. */
  readonly threshold?: number
  /** Minutes that the user's clock is ahead of UTC, for dates such as "tomorrow"; 0 by default. */
  readonly utcOffset?: number
  /** Says what would change, and changes nothing. */
  readonly dryRun?: boolean
  /** Reads turns again that were read before, as with another extractor; a fact that the user deleted may then come back. */
  readonly fresh?: boolean
  /** Runs the extractor inside of a run, with its limits, journal and events; on its own by default. */
  readonly step?: Step
  readonly signal?: AbortSignal
}

export interface DerivedFacts {
  readonly changes: readonly FactChange[]
  /** User turns that were read. */
  readonly turns: number
  /** Index of the next turn. */
  readonly next: number
}

/** Turns read, and changes written, together. */
const PAGE = 64
/** Metadata of a turn that was read: by whom. It keeps another run from asking again, and from bringing back what the user deleted. */
const READ_BY = 'factsReadBy'

/**
 * Reads the user's turns of a conversation for facts, in order, and writes what they change: new facts, sources of known ones, ends of
 * those that are so no longer (`validTo`, `supersededBy`; history stays). Only what the user said counts, or agreed to; turns whose
 * metadata says `injected: true` are passed over. A turn is read once: doing it again adds nothing, after a crash as well. What the user
 * has set (`setFact`) stays.
 *
 * @throws StoreError `mismatch` when the store holds another embedder's vectors; the signal's reason on abort, with what is done kept
 */
export async function deriveFacts(options: DeriveFactsOptions): Promise<DerivedFacts> {
  const { memory, scope, embedder, threshold, from = 0 } = options
  checkEmbedder(memory.embedderId, embedder?.id, 'of the memory')
  const book = new FactBook(await memory.list(scope, FACTS_DOCUMENT), threshold)
  const changes: FactChange[] = []
  let [turns, next] = [0, from]
  for await (const page of pagesOf(options)) {
    const read = page.turns.filter(({ turn }) => isToRead(turn, options))
    const said = await readPage(read, options)
    const found = said.flatMap((one) => book.take(one))
    if (options.dryRun !== true) {
      await write(options, book, found)
      await mark(options, read, said)
    }
    changes.push(...found)
    turns += read.length
    next = page.next
  }
  return { changes, turns, next }
}

/** A turn, and what was said before it. */
interface Place {
  readonly turn: MemoryRecord
  readonly before: MemoryRecord | undefined
}

/** Turns page by page; the one before the first is read along. */
async function* pagesOf({
  memory,
  scope,
  threadId,
  from = 0,
  until,
  signal,
}: DeriveFactsOptions): AsyncGenerator<{ turns: Place[]; next: number }> {
  let [before] = from > 0 ? await memory.list(scope, threadId, { until: from, limit: 1, newest: true }) : []
  let next = from
  for (;;) {
    signal?.throwIfAborted()
    const records = await memory.list(scope, threadId, { from: next, limit: PAGE, ...(until !== undefined && { until }) })
    const last = records.at(-1)
    if (last === undefined) return
    next = last.index + 1
    const turns: Place[] = []
    for (const turn of records) {
      turns.push({ turn, before })
      before = turn
    }
    yield { turns, next }
  }
}

function isToRead({ kind, role, metadata = {} }: MemoryRecord, { fresh = false }: DeriveFactsOptions): boolean {
  if (kind !== 'turn' || role !== 'user' || metadata['injected'] === true) return false
  return fresh || metadata[READ_BY] === undefined
}

async function readPage(places: readonly Place[], options: DeriveFactsOptions): Promise<SaidFact[]> {
  const { extractor, embedder, signal, scope, threadId, utcOffset = 0, step = createStandaloneStep({ scope, signal }) } = options
  const by = readerName(extractor)
  const said: Omit<SaidFact, 'vector'>[] = []
  for (const { turn, before } of places) {
    const { id: turnId, text, createdAt, expiresAt } = turn
    const time = createdAt === undefined ? {} : { saidAt: createdAt }
    const facts = extractor ? (await step(extractor, { text, ...time })).facts : findFacts(text, { utcOffset, ...time, ...asked(before) })
    // Among turns without a time, the order in which they stand decides.
    const saidAt = createdAt ?? 0
    said.push(...facts.map((fact) => ({ fact, turnId, threadId, saidAt, by, expiresAt })))
  }
  const vectors = await embedder?.embed(
    said.map(({ fact }) => fact.text),
    signal ? { signal } : {},
  )
  return said.map((one, at) => Object.assign(one, vectors?.[at] && { vector: vectors[at] }))
}

/** What the assistant said just before. */
function asked(before: MemoryRecord | undefined): { readonly before?: string } {
  return before?.kind === 'turn' && before.role === 'assistant' ? { before: before.text } : {}
}

function readerName(extractor: FactExtractor | undefined): string {
  return extractor === undefined ? 'rules' : `${extractor.name}@${extractor.version}`
}

/** Ends before beginnings: wherever it is cut off, doing it again completes it, as turns are marked last. */
async function write({ memory, scope }: DeriveFactsOptions, book: FactBook, changes: readonly FactChange[]): Promise<void> {
  const added = changes.flatMap((change) => (change.type === 'add' ? [change.record.id] : []))
  const changed = changes.flatMap((change) => (change.type === 'confirm' || change.type === 'supersede' ? [change.id] : []))
  const held = (ids: readonly string[]): MemoryRecord[] => ids.map((id) => book.get(id)).filter((record) => record !== undefined)
  await memory.put(held([...new Set(changed)].filter((id) => !added.includes(id))))
  for (const record of await memory.append(scope, FACTS_DOCUMENT, held(added).map(withoutPlace))) book.hold(record)
}

/** Marks the turns that were read. Rules find the same again, so that a turn without facts needs no mark. */
async function mark({ memory, scope, extractor }: DeriveFactsOptions, read: readonly Place[], said: readonly SaidFact[]): Promise<void> {
  const telling = new Set(said.map(({ turnId }) => turnId))
  const by = readerName(extractor)
  for (const { turn } of read) {
    if ((extractor === undefined && !telling.has(turn.id)) || turn.metadata?.[READ_BY] === by) continue
    await memory.update(scope, turn.id, { metadata: { ...turn.metadata, [READ_BY]: by } })
  }
}
