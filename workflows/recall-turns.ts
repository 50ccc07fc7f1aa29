import type { MemoryHit, MemoryRecord, RankingWeights } from '../memory/index.ts'
import type { ControllerOptions, SelectQuery } from './memory-controller.ts'
import { isLiveTurn } from './read-back.ts'

export interface RecallOptions extends Pick<ControllerOptions, 'memory' | 'embedder'> {
  /** Most turns. */
  readonly k: number
  /** Turns on each side of a hit that become candidates too. */
  readonly neighbours: number
  readonly weights?: RankingWeights
  /** Share of relevance against diversity, from 0 to 1; see `MemoryQuery`. */
  readonly relevance?: number
  readonly now: number
  /** Ids that are not looked for, as they are there already. */
  readonly except?: ReadonlySet<string>
}

/** The turns of a conversation that a message activates, best first. */
export async function recallTurns(query: SelectQuery, options: RecallOptions): Promise<MemoryHit[]> {
  const { memory, embedder, k, neighbours, weights, relevance, now, except = new Set() } = options
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
    now,
    ...(vector ? { vector } : {}),
    ...(weights ? { weights } : {}),
    ...(relevance === undefined ? {} : { relevance }),
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
