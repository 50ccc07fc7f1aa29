/** What is derived of a conversation in one go: summaries, vectors and facts of its turns from a place on. */
import type { FactExtractor } from '../agents/index.ts'
import type { MemoryRecord } from '../memory/index.ts'
import { deriveFacts } from './derive-facts.ts'
import { type DeriveOptions, embedTurns, summarise } from './derive-turns.ts'

export interface DeriveThreadOptions extends DeriveOptions {
  readonly threadId: string
  /** Index of the first turn to look at; 0 by default. */
  readonly from?: number
  /** Draws facts with a model; rules of English without one. */
  readonly extractor?: FactExtractor | undefined
  /** Leaves facts out; false by default. */
  readonly withoutFacts?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Turns read together. */
const PAGE = 64

/**
 * Derives what turns lack. What is there already is not made again, so that it can be cut off anywhere and done anew; what fails is thrown,
 * with what was made before it kept.
 *
 * @returns index behind the last turn that was looked at
 * @throws the error of a model, embedder or store; the signal's reason on abort
 */
export async function deriveThread(options: DeriveThreadOptions): Promise<number> {
  const { memory, scope, threadId, from = 0, embedder, extractor, withoutFacts = false, signal } = options
  let next = from
  for (;;) {
    signal?.throwIfAborted()
    const records = await memory.list(scope, threadId, { from: next, limit: PAGE })
    const last = records.at(-1)
    if (last === undefined) return next
    await derivePage(options, records)
    if (!withoutFacts) {
      const optional = { ...(embedder && { embedder }), ...(extractor && { extractor }), ...(signal && { signal }) }
      await deriveFacts({ memory, scope, threadId, from: next, until: last.index + 1, ...optional })
    }
    next = last.index + 1
  }
}

async function derivePage(options: DeriveThreadOptions, records: readonly MemoryRecord[]): Promise<void> {
  const turns = records.filter(({ kind }) => kind === 'turn')
  for (const turn of turns) {
    options.signal?.throwIfAborted()
    await summarise(options, turn)
  }
  await embedTurns(
    options,
    turns.filter(({ vector }) => vector === undefined),
  )
}
