import type { MemoryHit, MemoryRecord, RankingWeights } from '../memory/index.ts'
import type { ControllerOptions, SelectQuery } from './memory-controller.ts'
import { isLiveTurn } from './read-back.ts'

export interface RecallOptions extends Pick<ControllerOptions, 'memory' | 'embedder'> {
  /** Most turns. */
  readonly k: number
  /** Turns on each side of a hit that become candidates too; 2 by default. */
  readonly neighbours?: number | undefined
  readonly weights?: RankingWeights
  readonly now: number
  /** Ids that are not looked for, as they are there already. */
  readonly except?: ReadonlySet<string>
}

/**
 * Share of a neighbouring turn's score: a question and its answer stand side by side. Of 0, 0.15, 0.3 and 0.4 the best on LoCoMo's
 * development conversations (`bench locomo`).
 */
const SPREAD = 0.4
/** Turns on each side: the exchange before and the one after. */
const NEIGHBOURS = 2

/** The turns of a conversation that a message activates, best first. */
export async function recallTurns(query: SelectQuery, options: RecallOptions): Promise<MemoryHit[]> {
  const { memory, embedder, k, neighbours = NEIGHBOURS, weights, now, except = new Set() } = options
  const { scope, threadId, text, before = Infinity, signal } = query
  const vector = await queryVector(embedder, text, signal)
  const hits = await memory.search({
    scope,
    documentIds: [threadId],
    kinds: ['turn'],
    text,
    // The message itself and its answer may be in the store; they are left out below.
    k: k + except.size + (before === Infinity ? 0 : 2),
    neighbours,
    spread: SPREAD,
    now,
    ...(vector ? { vector } : {}),
    ...(weights ? { weights } : {}),
    ...(signal ? { signal } : {}),
  })
  const wanted = (record: MemoryRecord): boolean => record.index < before && !except.has(record.id) && isLiveTurn(record, now)
  return hits.filter(({ record }) => wanted(record)).slice(0, k)
}

async function queryVector(embedder: ControllerOptions['embedder'], text: string, signal?: AbortSignal): Promise<Float32Array | undefined> {
  if (embedder === undefined) return undefined
  const [vector] = await embedder.embed([text], signal ? { signal } : {})
  return vector
}
