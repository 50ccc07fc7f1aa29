/**
 * What is derived of a conversation's turns: summaries, vectors, uses. It runs behind the replies, and what fails leaves the turns as they
 * are.
 */
import type { TurnSummary } from '../agents/index.ts'
import { type Logger, silent } from '../log/index.ts'
import type { MemoryRecord, MemoryStore } from '../memory/index.ts'
import type { CallModelOptions, NamedEmbedder } from '../models/index.ts'
import { createStandaloneStep } from './standalone-step.ts'

export interface DeriveOptions {
  readonly memory: MemoryStore
  readonly scope: string
  /** Without it, turns are found by words alone. */
  readonly embedder?: NamedEmbedder | undefined
  /** Without it, turns have no summaries. */
  readonly summary?: TurnSummary | undefined
  /** Tokens of a text. */
  readonly count: (text: string) => number
  readonly call?: CallModelOptions | undefined
  readonly logger?: Logger | undefined
}

/** Work behind the replies, one piece after the other. */
export interface TurnDeriver {
  add(turns: readonly MemoryRecord[]): void
  /** Counts a recall of turns. */
  touch(ids: readonly string[], at: number): void
  /** Embeds what an earlier process left without a vector. */
  catchUp(): void
  /** Resolves when nothing is left to do; never rejects. */
  idle(): Promise<void>
}

/** Turns embedded together when catching up, and records looked through for them: facts may lack vectors too. */
const BATCH = 64
const LOOKED_AT = 1_000

export function createTurnDeriver(options: DeriveOptions): TurnDeriver {
  const { logger = silent, memory, scope } = options
  let tail: Promise<void> = Promise.resolve()
  function enqueue(what: string, work: () => Promise<void>): void {
    tail = tail
      .then(work)
      .catch((error: unknown) => logger.warn({ err: error, scope }, `${what} could not be derived; the turns stand as they are`))
  }
  return {
    add(turns) {
      for (const turn of turns) enqueue('the summary of a turn', () => summarise(options, turn))
      enqueue('vectors of turns', () => embedTurns(options, turns))
    },
    touch: (ids, at) => enqueue('uses of turns', () => memory.touch(scope, ids, at)),
    catchUp: () => enqueue('vectors of earlier turns', () => embedWithout(options)),
    idle: () => tail,
  }
}

export async function summarise(
  { memory, scope, summary: agent, count, call }: DeriveOptions,
  { id, text, summary: known }: MemoryRecord,
): Promise<void> {
  if (agent === undefined || known !== undefined) return
  const { summary } = await createStandaloneStep({ scope, ...(call ? { call } : {}) })(agent, { text })
  if (summary !== undefined) await memory.update(scope, id, { summary, summaryTokens: count(summary) })
}

export async function embedTurns({ memory, scope, embedder }: DeriveOptions, turns: readonly MemoryRecord[]): Promise<void> {
  if (embedder === undefined) return
  // Summaries were made since the turns were read.
  const current = await Promise.all(turns.map(({ id }) => memory.get(scope, id)))
  const open = current.flatMap((turn) => (turn === undefined || turn.vector !== undefined ? [] : [turn]))
  const vectors = await embedder.embed(open.map(embeddedText))
  for (const [at, { id }] of open.entries()) {
    const vector = vectors[at]
    if (vector) await memory.update(scope, id, { vector })
  }
}

async function embedWithout(options: DeriveOptions): Promise<void> {
  const { memory, scope, embedder } = options
  if (embedder === undefined) return
  let last: string | undefined
  for (;;) {
    const turns = (await memory.withoutVector(scope, LOOKED_AT)).filter(({ kind }) => kind === 'turn').slice(0, BATCH)
    const [first] = turns
    // A turn that is first again got no vector: going on would not end.
    if (first === undefined || first.id === last) return
    last = first.id
    await embedTurns(options, turns)
  }
}

/** What of a turn is embedded: its summary where it has one, as in SCM's paper; a long text is like everything and near to nothing. */
export function embeddedText({ text, summary }: Pick<MemoryRecord, 'text' | 'summary'>): string {
  return summary ?? text
}
