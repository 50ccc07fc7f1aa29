/** What MEM1 forgets, kept beside it: each observation and each state that was replaced, to be found again by a tool. */
import { createHash } from 'node:crypto'
import type { Mem1Tool } from '../agents/index.ts'
import type { MemoryHit, MemoryStore, NewTurn } from '../memory/index.ts'
import { type Clock, type NamedEmbedder, systemClock } from '../models/index.ts'

export interface Mem1ArchiveOptions {
  readonly memory: MemoryStore
  /** Whose it is: scopes never see each other. */
  readonly scope: string
  /** Where it is kept within the scope; loops of one thread find what the others forgot. */
  readonly threadId: string
  /** Embeds what is kept and what is asked, where the store holds vectors. */
  readonly embedder?: NamedEmbedder
  /** Most records that a look-up gives; 3 by default. */
  readonly k?: number
  /** Tells when a record was made. */
  readonly clock?: Clock
}

/** Kept beside the loop; `tool` finds it again. */
export interface Mem1Archive {
  readonly tool: Mem1Tool
  keepObservation(turn: number, tool: string, query: string, text: string, signal: AbortSignal): Promise<void>
  keepState(turn: number, text: string, signal: AbortSignal): Promise<void>
}

/** Name of the tool that finds what the state has lost. */
export const RECALL = 'recall'

export function mem1Archive(options: Mem1ArchiveOptions): Mem1Archive {
  const { memory, scope, threadId, embedder, k = 3, clock = systemClock } = options
  if (!(Number.isInteger(k) && k > 0)) throw new RangeError(`Cannot keep an archive as k must be a whole number above 0: ${k}`)
  const vectorOf = async (text: string, signal: AbortSignal): Promise<{ vector?: Float32Array }> => {
    const [vector] = embedder === undefined ? [] : await embedder.embed([text], { signal })
    return vector === undefined ? {} : { vector }
  }
  return {
    tool: { name: RECALL, description: 'finds what you saw or noted before and have forgotten', run: recall },
    keepObservation,
    keepState,
  }

  async function keepObservation(turn: number, tool: string, query: string, text: string, signal: AbortSignal): Promise<void> {
    if (text.trim() === '') return
    await keep({ role: 'tool', text, context: `${tool} "${query}"`, metadata: { turn } }, signal)
  }

  async function keepState(turn: number, text: string, signal: AbortSignal): Promise<void> {
    if (text.trim() === '') return
    await keep({ role: 'assistant', text, metadata: { turn } }, signal)
  }

  /** Said twice, kept once: the id follows from what is said. */
  async function keep(record: Omit<NewTurn, 'id'>, signal: AbortSignal): Promise<void> {
    const id = createHash('sha256')
      .update(JSON.stringify([threadId, record.role, record.context ?? null, record.text]))
      .digest('hex')
      .slice(0, 32)
    const vector = await vectorOf(record.text, signal)
    await memory.append(scope, threadId, [{ ...record, ...vector, id, kind: 'turn', createdAt: clock.now() }])
  }

  async function recall(query: string, signal: AbortSignal): Promise<string> {
    const vector = await vectorOf(query, signal)
    const found = await memory.search({ scope, documentIds: [threadId], text: query, k: LOOKED_AT * k, signal, ...vector })
    const hits = stateFirst(found).slice(0, k)
    await memory.touch(
      scope,
      hits.map(({ record }) => record.id),
      clock.now(),
    )
    return hits.map(render).join('\n\n')
  }
}

/** Records that are looked at for each that comes back: states fill many places. */
const LOOKED_AT = 64
/** Share of the best match from which on a newer state is as good as it. */
const AS_GOOD = 0.5

/** States repeat one another: the newest that matches well stands for all. It comes first, as it says most in least. */
function stateFirst(hits: readonly MemoryHit[]): MemoryHit[] {
  const states = hits.filter(({ record }) => record.role === 'assistant')
  const best = Math.max(...states.map(({ words }) => words))
  const [newest] = states.filter(({ words }) => words >= AS_GOOD * best).toSorted((a, b) => b.record.index - a.record.index)
  return [...(newest ? [newest] : []), ...hits.filter(({ record }) => record.role !== 'assistant')]
}

function render({ record }: MemoryHit): string {
  return `[${record.context ?? 'your state'}, step ${Number(record.metadata?.['turn']) + 1}]\n${record.text}`
}
