/**
 * What hierarchical merging holds and how long it takes, against reading the whole: each length in a process of its own, the two by turns. The text is
 * Moby-Dick; only its length matters.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { planHomer } from '../attention/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { linePlot, type PlotPoint } from './plot.ts'
import { table } from './report.ts'
import { runItems } from './runner.ts'
import { commit } from './machine.ts'

const SUITE = 'homer-memory'
const NODE_TOKENS = 1_024

/** What reading one text took. */
export interface MemoryRun {
  /** Most bytes of keys and values held at one time. */
  readonly bytes: number
  readonly seconds: number
  /** Most resident memory of the process before and after. */
  readonly loadedMegabytes: number
  readonly peakMegabytes: number
  /** Tokens of the prompt's parts. */
  readonly prefix: number
  readonly context: number
  readonly suffix: number
  readonly layers: number
  readonly bytesPerTokenLayer: number
}

export interface MemoryScale {
  /** Tokens of the prompts that are merged, and that are read as a whole. */
  readonly merged: readonly number[]
  readonly dense: readonly number[]
}

interface Task {
  readonly kind: 'homer' | 'dense'
  readonly tokens: number
}

const K = 1_024

export const bench: Bench = {
  name: SUITE,
  run: (options) =>
    measureMemory(
      options,
      options.quick
        ? { merged: [2 * K, 8 * K, 16 * K, 64 * K], dense: [2 * K, 8 * K] }
        : { merged: [2 * K, 4 * K, 8 * K, 16 * K, 32 * K, 64 * K, 128 * K], dense: [2 * K, 4 * K, 8 * K, 16 * K, 32 * K] },
    ),
}

export async function measureMemory(options: BenchOptions, scale: MemoryScale, folder?: string): Promise<BenchResult> {
  const { log, signal } = options
  const settings = { nodeTokens: NODE_TOKENS, merged: scale.merged.join(' '), dense: scale.dense.join(' '), model: 'smollm2-135m-instruct' }
  const tasks = scale.merged.flatMap((tokens): Task[] => [
    { kind: 'homer', tokens },
    ...(scale.dense.includes(tokens) ? [{ kind: 'dense' as const, tokens }] : []),
  ])
  const runs = await runItems<Task, MemoryRun>({
    name: SUITE,
    settings: { ...settings, gitSha: (await commit()) ?? 'none' },
    items: tasks,
    idOf: ({ kind, tokens }) => `${kind}-${tokens}`,
    run: ({ kind, tokens }) => runAlone(kind, tokens, signal),
    signal,
    onItem: ({ done, total }) => log(`${SUITE}: ${done} of ${total}`),
    ...(folder === undefined ? {} : { folder }),
  })
  const rows = tasks.flatMap((task, at) => (runs[at] === undefined ? [] : [{ ...task, run: runs[at] }]))
  return { settings, figures: figuresOf(rows), plots: await plotsOf(rows), notes: notesOf(rows) }
}

async function runAlone(kind: Task['kind'], tokens: number, signal: AbortSignal): Promise<MemoryRun> {
  const script = fileURLToPath(new URL('homer-memory-run.ts', import.meta.url))
  const model = fileURLToPath(new URL('../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))
  const args = ['--import', 'tsx', script, kind, model, String(tokens), String(NODE_TOKENS)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { signal, maxBuffer: 1 << 20 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as MemoryRun
}

interface Row extends Task {
  readonly run: MemoryRun
}

/**
 * Most tokens times layers of keys and values held by the depth-first order: a finished left sibling a level, and the node that runs. Leaves are taken
 * as full.
 */
export function peakFormula(
  { prefix, context, suffix, layers }: Pick<MemoryRun, 'prefix' | 'context' | 'suffix' | 'layers'>,
  maxChunk: number,
): number {
  const { height, leafContext, lengths } = planHomer({ prefix, context, suffix, layers, maxChunk })
  const affixes = prefix + suffix
  const half = Math.floor((maxChunk - affixes) / 2)
  const share = Math.floor((layers - lengths.warmUp) / (height + 1))
  const cached = (level: number): number => layers - share * (height - level)
  let peak = 0
  for (let level = 0; level <= height; level++) {
    let held = (level === 0 ? leafContext + affixes : affixes + 2 * Math.min(half, leafContext)) * cached(level)
    for (let waiting = level; waiting < height; waiting++) held += (affixes + Math.min(half, leafContext)) * cached(waiting)
    peak = Math.max(peak, held)
  }
  return peak
}

function figuresOf(rows: readonly Row[]): Record<string, number> {
  const merged = rows.filter(({ kind }) => kind === 'homer')
  const errorOf = ({ run }: Row): number => {
    const formula = peakFormula(run, NODE_TOKENS) * run.bytesPerTokenLayer
    return (100 * Math.abs(run.bytes - formula)) / formula
  }
  const figures: Record<string, number> = { formulaError: Math.max(...merged.map(errorOf)) }
  for (const { tokens, run } of merged) {
    const name = `${tokens / K}k`
    figures[`cacheVsDense${name}`] = (100 * run.bytes) / denseBytes(run)
    figures[`cacheMegabytes${name}`] = run.bytes / 1e6
    figures[`peakMegabytes${name}`] = run.peakMegabytes
    const dense = rows.find((row) => row.kind === 'dense' && row.tokens === tokens)
    if (dense === undefined) continue
    figures[`densePeakMegabytes${name}`] = dense.run.peakMegabytes
    figures[`timeVsDense${name}`] = run.seconds / dense.run.seconds
  }
  return figures
}

function denseBytes({ prefix, context, suffix, layers, bytesPerTokenLayer }: MemoryRun): number {
  return (prefix + context + suffix) * layers * bytesPerTokenLayer
}

async function plotsOf(rows: readonly Row[]): Promise<Record<string, string>> {
  const points = (value: (run: MemoryRun) => number): PlotPoint[] =>
    rows.map(({ kind, tokens, run }) => ({ x: tokens / K, y: value(run), series: kind === 'homer' ? 'merged' : 'whole' }))
  const x = 'thousand tokens'
  return {
    cache: await linePlot({ title: 'Keys and values held', x, y: 'MB', points: points(({ bytes }) => bytes / 1e6) }),
    resident: await linePlot({ title: 'Peak memory of the process', x, y: 'MB', points: points(({ peakMegabytes }) => peakMegabytes) }),
    time: await linePlot({ title: 'Reading time', x, y: 'seconds', points: points(({ seconds }) => seconds) }),
  }
}

function notesOf(rows: readonly Row[]): string[] {
  const lines = rows.map(({ kind, tokens, run }) => [
    kind,
    `${tokens / K}k`,
    (run.bytes / 1e6).toFixed(1),
    kind === 'homer' ? ((peakFormula(run, NODE_TOKENS) * run.bytesPerTokenLayer) / 1e6).toFixed(1) : '',
    run.loadedMegabytes.toFixed(0),
    run.peakMegabytes.toFixed(0),
    run.seconds.toFixed(1),
  ])
  return [
    'formulaError: largest difference, in percent, of the measured peak from the exact form for equal leaves (HOMER, depth first). cacheVsDense: percent of the keys and values of the whole text, which is computed, not held. timeVsDense: seconds over those of reading the whole.',
    'Beyond the window of the model the whole is read at positions that begin anew: as much is computed, and nothing is asked of it.',
    table(['read', 'tokens', 'peak cache MB', 'formula MB', 'resident before MB', 'peak resident MB', 'seconds'], lines),
  ]
}
