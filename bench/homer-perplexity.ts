/**
 * How well the bundled model predicts what follows a long text, from what a merge kept of it, by the protocol of HOMER's released evaluation: the first
 * and the last 100 tokens are prefix and suffix, and all between is merged anew for each segment. Beside it stand the last tokens alone, as many as the
 * merged cache holds, and the best spans of parts that were scored alone.
 */
import { homer, type HomerPrompt, retrievalSignificance, scoreLeaves, survivingSpans } from '../attention/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { nodeTokens, openVariantModel, paperOptions, type VariantModel } from './homer-variants.ts'
import { commit } from './machine.ts'
import { mobyDick } from './passkey.ts'
import { linePlot } from './plot.ts'
import { runItems } from './runner.ts'

const SUITE = 'homer-perplexity'
const K = 1_024
const AFFIX_TOKENS = 100
/** Tokens that are predicted. */
const SEGMENT_TOKENS = 256
const SYSTEMS = ['merged', 'paper', 'window', 'spans'] as const

type System = (typeof SYSTEMS)[number]

export interface PerplexityScale {
  /** Thousands of 1,024 tokens before the segment. */
  readonly lengths: readonly number[]
  /** Segments of each length, at even distances in the book. */
  readonly items: number
}

interface Task {
  readonly length: number
  readonly index: number
}

/** Mean log-probability with its sign turned, by system. */
type Outcome = Readonly<Record<System, number>>

export const bench: Bench = {
  name: SUITE,
  run: (options) => measurePerplexity(options, options.quick ? { lengths: [4, 8], items: 2 } : { lengths: [4, 8, 16, 32], items: 8 }),
}

export async function measurePerplexity(options: BenchOptions, scale: PerplexityScale, folder?: string): Promise<BenchResult> {
  const { log, signal } = options
  await using model = await openVariantModel()
  const { config, tokenizer } = model.decoder
  const ids = tokenizer.encode(mobyDick())
  const settings = { lengths: scale.lengths.join(' '), items: scale.items, nodeTokens, segmentTokens: SEGMENT_TOKENS, model: config.name }
  const tasks = scale.lengths.flatMap((length) => Array.from({ length: scale.items }, (_, index): Task => ({ length, index })))
  const outcomes = await runItems<Task, Outcome>({
    name: SUITE,
    settings: { ...settings, gitSha: (await commit()) ?? 'none' },
    items: tasks,
    idOf: ({ length, index }) => `${length}k-${index}`,
    run: ({ length, index }) => {
      const last = ids.length - length * K - SEGMENT_TOKENS
      const start = Math.floor((last * (index + 0.5)) / scale.items)
      return predict(model, ids.slice(start, start + length * K + SEGMENT_TOKENS), signal)
    },
    signal,
    onItem: ({ done, total }) => log(`${SUITE}: ${done} of ${total}`),
    ...(folder === undefined ? {} : { folder }),
  })
  const points = scale.lengths.flatMap((length) => {
    const own = outcomes.filter((_, at) => tasks[at]?.length === length)
    return SYSTEMS.map((system) => ({
      x: length,
      y: Math.exp(own.reduce((sum, one) => sum + one[system], 0) / own.length),
      series: system,
    }))
  })
  return {
    settings,
    figures: Object.fromEntries(points.map(({ x, y, series }) => [`${series}${x}k`, y])),
    plots: { perplexity: await linePlot({ title: 'Perplexity', x: 'thousand tokens before', y: 'perplexity', points, zero: false }) },
    notes: [
      'merged: the cache of a merge by the heads that retrieve, paper: by the rule of the paper, window: as many of the last tokens as a merged cache holds, spans: the best spans of parts that were scored alone, read as text between prefix and suffix.',
    ],
  }
}

async function predict(model: VariantModel, ids: readonly number[], signal: AbortSignal): Promise<Outcome> {
  const { decoder, heads } = model
  const read = ids.slice(0, -SEGMENT_TOKENS)
  const next = ids.slice(-SEGMENT_TOKENS)
  const prompt = {
    prefix: read.slice(0, AFFIX_TOKENS),
    context: read.slice(AFFIX_TOKENS, -AFFIX_TOKENS),
    suffix: read.slice(-AFFIX_TOKENS),
  }
  const significance = retrievalSignificance({ heads })
  return {
    merged: await mergedLoss(model, prompt, next, { significance, signal }),
    paper: await mergedLoss(model, prompt, next, { ...paperOptions(model), signal }),
    window: await plainLoss(model, read.slice(-nodeTokens), next),
    spans: await plainLoss(model, await spansOf(decoder, prompt, { significance, signal }), next),
  }
}

async function mergedLoss(
  { decoder }: VariantModel,
  prompt: HomerPrompt,
  next: readonly number[],
  options: Pick<Parameters<typeof homer>[2], 'significance' | 'warmUp' | 'signal'>,
): Promise<number> {
  const { cache } = await homer(decoder, prompt, { maxChunk: nodeTokens, ...options })
  using asked = cache
  const [found = new Float32Array()] = await decoder.logProbs(asked, [{ ids: next }])
  return meanLoss(found)
}

async function plainLoss({ decoder }: VariantModel, before: readonly number[], next: readonly number[]): Promise<number> {
  const [found = new Float32Array()] = await decoder.logProbs(before, [{ ids: next }])
  return meanLoss(found)
}

async function spansOf(
  decoder: VariantModel['decoder'],
  prompt: HomerPrompt,
  options: Pick<Parameters<typeof scoreLeaves>[2], 'significance' | 'signal'>,
): Promise<number[]> {
  const { prefix, context, suffix } = prompt
  const keep = nodeTokens - prefix.length - suffix.length
  const spans = survivingSpans(await scoreLeaves(decoder, prompt, { maxChunk: nodeTokens, keep, ...options }), { most: keep })
  return [...prefix, ...spans.flatMap(({ start, end }) => context.slice(start, end)), ...suffix]
}

function meanLoss(logProbs: Float32Array): number {
  return -logProbs.reduce((sum, value) => sum + value, 0) / Math.max(1, logProbs.length)
}
