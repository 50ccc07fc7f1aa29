/** Speed and peak memory of the chunkers beside LangChain's own splitters of the same kind, counting characters and tokens. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import type { ChunkSpeedRun } from './chunk-speed-run.ts'
import { sampleFile } from './samples/sample-files.ts'
import { quantile } from './statistics.ts'

const SUITE = 'chunk-speed'

/** One measurement: who cuts what, and whose speed it is compared with. */
interface Task {
  readonly system: string
  readonly unit: 'chars' | 'tokens' | 'cl100k'
  readonly format: 'txt' | 'md'
  readonly beside?: string
}

/** LangChain's splitter of the same kind; those without one are measured alone. */
const KINDS: readonly Omit<Task, 'unit'>[] = [
  { system: 'fixedTokens', format: 'txt', beside: 'langchainCharacter' },
  { system: 'recursive', format: 'txt', beside: 'langchainRecursive' },
  { system: 'structural', format: 'md', beside: 'langchainMarkdown' },
  { system: 'sentencePacked', format: 'txt' },
  { system: 'contentDefined', format: 'txt' },
  { system: 'mergeTiny', format: 'md' },
  { system: 'contextual', format: 'md' },
  { system: 'parentChild', format: 'md' },
]

export interface ChunkSpeedScale {
  /** Names of our chunkers that are measured; all without it. */
  readonly systems?: readonly string[]
  /** Megabytes of text, where characters are counted and where tokens are. */
  readonly chars: number
  readonly tokens: number
  /** Megabytes of the long text, that ours alone cut. */
  readonly long: number
  readonly runs: number
}

export const bench: Bench = {
  name: SUITE,
  run: (options) =>
    measureChunkSpeed(options, options.quick ? { chars: 4, tokens: 1, long: 20, runs: 1 } : { chars: 10, tokens: 2, long: 100, runs: 5 }),
}

export async function measureChunkSpeed({ log, seed, signal }: BenchOptions, scale: ChunkSpeedScale): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'chunk-speed-'))
  const figures: Record<string, number> = {}
  const measure = async (task: Task, megabytes: number, name: string): Promise<ChunkSpeedRun> => {
    const path = await writeText(folder, task.format, megabytes, seed)
    const runs: ChunkSpeedRun[] = []
    for (let at = 0; at < scale.runs; at++) runs.push(await cutFile(task, path, signal))
    const run = median(runs)
    figures[`${name}MBps`] = run.megabytes / run.seconds
    figures[`${name}PeakMB`] = run.peakMegabytes
    log(`${SUITE}: ${name} ${figures[`${name}MBps`]!.toFixed(1)} MB/s, ${Math.round(run.peakMegabytes)} MB`)
    return run
  }
  try {
    for (const task of tasksOf(scale)) {
      const { system, unit, beside } = task
      const megabytes = unit === 'chars' ? scale.chars : scale.tokens
      const name = system + UNIT_NAMES[unit]
      const own = await measure(task, megabytes, name)
      if (own.counterSeconds > 0) figures[`${name}OfCounter`] = own.counterSeconds / own.seconds
      if (beside !== undefined) {
        const other = await measure({ ...task, system: beside }, megabytes, beside + UNIT_NAMES[unit])
        figures[`${name}Ratio`] = other.seconds / own.seconds
      }
      if (unit !== 'chars') continue
      const long = await measure(task, scale.long, `${system}Long`)
      figures[`${system}Linear`] = own.megabytes / own.seconds / (long.megabytes / long.seconds)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return {
    settings: { chars: scale.chars, tokens: scale.tokens, long: scale.long, runs: scale.runs, seed },
    figures,
    notes: [
      'MBps: megabytes of text (UTF-8) a second, the document made, sections found and hashes taken; the median of the runs, each in a process of its own.',
      'PeakMB: resident memory at the peak beyond that with the text read and its first 200,000 characters cut.',
      'Ratio: time of the splitter of LangChain of the same kind over ours, on the same text; it makes no offsets, sections or hashes.',
      'OfCounter: speed with the tokenizer over the speed at which the tokenizer alone counts the text, 4,000 characters at a time.',
      `Long: a text of ${scale.long} MB. Linear: time a megabyte of it over that of the shorter text; 1 is linear.`,
    ],
  }
}

const UNIT_NAMES: Readonly<Record<Task['unit'], string>> = { chars: 'Chars', tokens: 'Tokens', cl100k: 'Cl100k' }

function tasksOf({ systems }: ChunkSpeedScale): Task[] {
  const kinds = KINDS.filter(({ system }) => systems === undefined || systems.includes(system))
  const tasks: Task[] = kinds.flatMap((kind) => [
    { ...kind, unit: 'chars' },
    { ...kind, unit: 'tokens' },
  ])
  // LangChain's splitter by tokens has a tokenizer of its own, so ours is given the same.
  if (systems === undefined) tasks.push({ system: 'fixedTokens', unit: 'cl100k', format: 'txt', beside: 'langchainToken' })
  return tasks
}

async function writeText(folder: string, format: Task['format'], megabytes: number, seed: number): Promise<string> {
  const path = join(folder, `text-${megabytes}.${format}`)
  await writeFile(path, sampleFile(format, megabytes * 1e6, seed).bytes)
  return path
}

async function cutFile({ system, unit }: Task, path: string, signal: AbortSignal): Promise<ChunkSpeedRun> {
  const script = fileURLToPath(new URL('chunk-speed-run.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, system, unit, path], { signal })
  return JSON.parse(stdout) as ChunkSpeedRun
}

/** The run of median time, with the median of the peaks. */
function median(runs: readonly ChunkSpeedRun[]): ChunkSpeedRun {
  const middle = runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)]!
  const peaks = runs.map(({ peakMegabytes }) => peakMegabytes)
  return { ...middle, peakMegabytes: quantile(peaks, 0.5) }
}
