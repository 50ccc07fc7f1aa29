/** What the framework itself costs: runs of a chain of agents with a model that answers at once, recorded in SQLite. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDocument } from '../chunkers/index.ts'
import type { ChatMessage, ChatModel, ModelDescription, SelfDescribing } from '../models/index.ts'
import { type Answer, ask, chainOfAgents, type Journal, sqliteJournal } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { haystack } from './haystack.ts'
import { linePlot } from './plot.ts'
import { quantile } from './statistics.ts'
import { measureTimerDelay } from './timer-delay.ts'

const CHUNK_TOKENS = 150
const CODE_UNITS_PER_TOKEN = 4
/** Calls between two looks at the heap. */
const SAMPLE_EVERY = 200

export interface OverheadScale {
  /** Chunks of the timed run; each is one call. */
  readonly timed: number
  /** Chunks of the run whose snapshots and heap are watched. */
  readonly watched: number
}

export const bench: Bench = {
  name: 'overhead',
  run: (options) => measureOverhead(options, { timed: 2_000, watched: 10_000 }),
}

export async function measureOverhead({ log, seed, signal }: BenchOptions, scale: OverheadScale): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'overhead-'))
  try {
    await runChain({ chunks: Math.ceil(scale.timed / 10), seed, signal, path: join(folder, 'warm.db') })
    const timed = await runChain({ chunks: scale.timed, seed, signal, path: join(folder, 'timed.db') })
    log(`overhead: ${timed.calls} calls in ${Math.round(timed.total)} ms, of it ${Math.round(timed.model)} ms in the model`)
    const watched = await runChain({ chunks: scale.watched, seed, signal, path: join(folder, 'watched.db'), onSample: heapMegabytes })
    log(`overhead: the largest snapshot of ${watched.calls} calls has ${watched.snapshotBytes} bytes`)
    const timer = await measureTimerDelay(seed, signal)
    log(`overhead: 99 of 100 ticks came less than ${timer.p99.toFixed(1)} ms late during a prefill (${timer.ticks} ticks)`)
    const result = await toResult(timed, watched, seed)
    return { ...result, figures: { ...result.figures, timerDelayP99: timer.p99, timerTicks: timer.ticks } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function toResult(timed: ChainRun, watched: ChainRun, seed: number): Promise<BenchResult> {
  const heap = watched.samples.map(({ megabytes }) => megabytes)
  const points = watched.samples.map(({ calls, megabytes }) => ({ x: calls, y: megabytes }))
  return {
    settings: { calls: timed.calls, watchedCalls: watched.calls, chunkTokens: CHUNK_TOKENS, journal: 'sqlite', seed },
    figures: {
      msPerCall: (timed.total - timed.model) / timed.calls,
      cpuMsPerCall: (timed.cpu - timed.model) / timed.calls,
      snapshotBytes: watched.snapshotBytes,
      heapGrowthMegabytes: heapGrowth(heap),
      heapPeakMegabytes: quantile(heap, 1),
    },
    plots: {
      heap: await linePlot({ title: 'Heap after a collection', x: 'calls', y: 'megabytes', points }),
    },
    notes: ['The time of a call is the whole run without the model: opening, chunking, prompts, guards, journal, events, verification.'],
  }
}

/** By how much the heap is larger in the last quarter of a run than in the second: the first one warms up. Medians. */
export function heapGrowth(megabytes: readonly number[]): number {
  const quarter = Math.floor(megabytes.length / 4)
  if (quarter === 0) throw new RangeError(`Cannot tell the heap's growth from fewer than 4 samples: ${megabytes.length}`)
  return quantile(megabytes.slice(-quarter), 0.5) - quantile(megabytes.slice(quarter, 2 * quarter), 0.5)
}

interface ChainRunOptions {
  readonly chunks: number
  readonly seed: number
  readonly signal: AbortSignal
  /** The journal's file. */
  readonly path: string
  /** Looks at the heap now and then. */
  readonly onSample?: () => number
}

interface ChainRun {
  readonly calls: number
  /** Milliseconds of the whole run, and of it inside the model. */
  readonly total: number
  readonly model: number
  /** Milliseconds of processor time: what other load on the machine does not lengthen. */
  readonly cpu: number
  readonly snapshotBytes: number
  readonly samples: readonly { readonly calls: number; readonly megabytes: number }[]
}

async function runChain({ chunks, seed, signal, path, onSample }: ChainRunOptions): Promise<ChainRun> {
  const text = haystack('words', chunks * CHUNK_TOKENS * CODE_UNITS_PER_TOKEN, seed)
  const samples: { calls: number; megabytes: number }[] = []
  const model = instantModel((calls) => {
    if (onSample && calls % SAMPLE_EVERY === 0) samples.push({ calls, megabytes: onSample() })
  })
  const largest = { bytes: 0 }
  const journal = watchSnapshots(sqliteJournal(path), largest)
  try {
    const began = performance.now()
    const cpu = process.cpuUsage()
    const answer: Answer = await ask(createDocument({ name: 'overhead.txt', text, sections: [] }), 'What is told of the river?', {
      strategy: chainOfAgents({ model }),
      chunkTokens: CHUNK_TOKENS,
      journal,
      signal,
    }).result
    const total = performance.now() - began
    const { user, system } = process.cpuUsage(cpu)
    return {
      calls: answer.usage.calls,
      total,
      model: model.milliseconds,
      cpu: (user + system) / 1000,
      snapshotBytes: largest.bytes,
      samples,
    }
  } finally {
    await journal.close()
  }
}

interface InstantModel extends ChatModel, SelfDescribing {
  /** Spent inside of the model so far. */
  readonly milliseconds: number
}

/** Answers at once: a note, and the first sentence of the chunk as a quotation. Keeps nothing of what it is asked. */
function instantModel(onCall: (calls: number) => void): InstantModel {
  let milliseconds = 0
  let calls = 0
  const answer = (
    messages: readonly ChatMessage[],
  ): { content: string; usage_metadata: { input_tokens: number; output_tokens: number } } => {
    const began = performance.now()
    calls++
    onCall(calls)
    const prompt = messages.at(-1)?.content ?? ''
    const sentence = /Text:\n([^.]*\.)/.exec(prompt)?.[1]
    const content =
      sentence === undefined ? 'The river is told of in every part.' : `NOTES: Part ${calls} tells of the river.\nQUOTE: "${sentence}"`
    milliseconds += performance.now() - began
    return { content, usage_metadata: { input_tokens: count(prompt), output_tokens: count(content) } }
  }
  return {
    get milliseconds() {
      return milliseconds
    },
    describe: (): ModelDescription => ({ id: 'instant', window: 4096, maxOutput: 256, count, exact: true, margin: 0, perMessage: 0 }),
    invoke: async (messages) => answer(messages),
    async stream(messages) {
      return (async function* parts() {
        yield answer(messages)
      })()
    },
  }
}

function count(text: string): number {
  return Math.ceil(text.length / CODE_UNITS_PER_TOKEN)
}

/** The journal, with the size of the largest snapshot that was written to it. */
function watchSnapshots(journal: Journal, largest: { bytes: number }): Journal {
  return new Proxy(journal, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'putRun') return value.bind(target) as unknown
      return (run: Parameters<Journal['putRun']>[0]) => {
        largest.bytes = Math.max(largest.bytes, Buffer.byteLength(run.snapshot))
        return target.putRun(run)
      }
    },
  })
}

/** The heap in use after a full collection. */
function heapMegabytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed / 1e6
}
