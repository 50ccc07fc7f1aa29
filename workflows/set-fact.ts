import { randomUUID } from 'node:crypto'
import { factText } from '../agents/index.ts'
import {
  checkEmbedder,
  type Fact,
  factKey,
  factMetadata,
  factOf,
  FACTS_DOCUMENT,
  type MemoryRecord,
  type MemoryStore,
} from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'

export interface SetFactOptions {
  /** Id of the fact that the user corrects, where it is about something else than the new one. */
  readonly replaces?: string
  /** The fact as a sentence; made from its parts by default. */
  readonly text?: string
  /** The store's embedder, for a vector. */
  readonly embedder?: NamedEmbedder
  /** The current time, milliseconds since 1970; `Date.now()` by default. */
  readonly now?: number
  readonly signal?: AbortSignal
}

/**
 * Sets a fact as the user wants it: it takes the place of what was known, is pinned, and what is said later in a conversation does not
 * change it. It rests on no turn, so that it stays when turns are deleted. To take it away, delete it from the store.
 *
 * @throws TypeError when subject, attribute or value are empty
 * @throws StoreError `mismatch` when the store holds another embedder's vectors
 */
export async function setFact(memory: MemoryStore, scope: string, fact: Fact, options: SetFactOptions = {}): Promise<MemoryRecord> {
  const { replaces, text = factText(fact), embedder, now = Date.now(), signal } = options
  for (const part of ['subject', 'attribute', 'value'] as const) {
    if (fact[part].trim() === '') throw new TypeError(`Cannot set a fact as its ${part} is empty: ${JSON.stringify(fact)}`)
  }
  checkEmbedder(memory.embedderId, embedder?.id, 'of the memory')
  const [vector] = (await embedder?.embed([text], signal ? { signal } : {})) ?? []
  const known = await memory.list(scope, FACTS_DOCUMENT)
  const id = `fact-${randomUUID()}`
  const [record] = await memory.append(scope, FACTS_DOCUMENT, [
    {
      id,
      text,
      kind: 'fact',
      createdAt: now,
      validFrom: now,
      pinned: true,
      metadata: { ...factMetadata(fact), by: 'user' },
      ...(vector && { vector }),
    },
  ])
  for (const old of known) {
    const isMeant = old.id === replaces || (old.supersededBy === undefined && isAbout(old, fact))
    if (isMeant) await memory.update(scope, old.id, { validTo: Math.min(now, old.validTo ?? now), supersededBy: id, pinned: null })
  }
  return record as MemoryRecord
}

function isAbout(record: MemoryRecord, fact: Fact): boolean {
  const held = factOf(record)
  return held !== undefined && factKey(held) === factKey(fact)
}
