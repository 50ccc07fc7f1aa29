/**
 * Reading comprehension over whole articles (SQuAD 2.0, 120 to 360 sentences each): at most three quotations of at most 60 tokens, scored by
 * whether the gold offsets lie inside. Fused retrieval alone is the baseline, on the same questions.
 */
import type { Document } from '../chunkers/index.ts'
import { createMemoryStore, searchPassages } from '../memory/index.ts'
import { type LocalEmbedder, type LocalModel, openLocalEmbedder, openLocalModel } from '../models/index.ts'
import { ask, auto, openSource, type Source } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { type BenchRecord, hashText, nominalLength } from './record.ts'
import { number, table } from './report.ts'
import { runItems } from './runner.ts'
import { holdsGold, type Item, parseArticle, sampleArticles, squadFile } from './squad-articles.ts'
import { mcnemar } from './statistics.ts'

const SUITE = 'squad'
const QUOTES = 3

/** What one question came to. */
interface Outcome {
  readonly impossible: boolean
  readonly abstained: boolean
  /** How sure the system is that it answers, from 0 to 1. */
  readonly confidence: number
  readonly first: boolean
  readonly any: boolean
  readonly baselineFirst: boolean
  readonly baselineAny: boolean
  readonly record: BenchRecord
}

export const bench: Bench = { name: SUITE, run: measureSquad }

async function measureSquad(options: BenchOptions): Promise<BenchResult> {
  const { data, log, quick, seed, signal } = options
  const { rows, sha256 } = await readData(data, squadFile, parseArticle)
  const size = quick ? { answerable: 40, impossible: 20 } : { answerable: 200, impossible: 100 }
  const articles = sampleArticles(rows, size, seed)
  const embedder = await openLocalEmbedder()
  await using model = await openLocalModel()
  const gitSha = await commit()
  const settings = { ...size, seed, quotes: QUOTES, dataSha: sha256, model: model.id, embedder: embedder.id }
  const outcomes: Outcome[] = []
  for (const { document, items } of articles) {
    const source = await openIndexed(document, embedder, signal)
    const read = (item: Item): Promise<Outcome> => readItem(item, source, { model, embedder, signal, dataSha: sha256, seed, gitSha })
    const settled = { ...settings, article: document.hash, gitSha: gitSha ?? 'none' }
    outcomes.push(...(await runItems<Item, Outcome>({ name: SUITE, settings: settled, items, idOf: ({ id }) => id, run: read, signal })))
    log(`squad: ${outcomes.length} of ${size.answerable + size.impossible} questions`)
  }
  return { settings, figures: figuresOf(outcomes), items: outcomes.map(({ record }) => record), notes: notesOf(outcomes) }
}

/** The same index serves both systems. */
async function openIndexed(document: Document, embedder: LocalEmbedder, signal: AbortSignal): Promise<Source> {
  const memory = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
  return openSource(document, { memory, embedder, signal })
}

interface Reading {
  readonly model: LocalModel
  readonly embedder: LocalEmbedder
  readonly signal: AbortSignal
  readonly dataSha: string
  readonly seed: number
  readonly gitSha: string | undefined
}

async function readItem(item: Item, source: Source, reading: Reading): Promise<Outcome> {
  const { model, embedder, signal, dataSha, seed, gitSha } = reading
  const began = performance.now()
  const {
    citations,
    status,
    usage,
    text,
    confidence = 0,
  } = await ask(source, item.question, { strategy: auto({ model, embedder }), signal }).result
  const ms = Math.round(performance.now() - began)
  const baseline = await searchPassages({ store: source.memory, scope: source.scope, question: item.question, embedder, k: QUOTES, signal })
  const first = holdsGold(citations.slice(0, 1), item)
  return {
    impossible: item.impossible,
    abstained: status === 'not-found',
    confidence,
    first,
    any: holdsGold(citations.slice(0, QUOTES), item),
    baselineFirst: holdsGold(
      baseline.slice(0, 1).map(({ record }) => record),
      item,
    ),
    baselineAny: holdsGold(
      baseline.map(({ record }) => record),
      item,
    ),
    record: {
      suite: SUITE,
      item: item.id,
      system: item.impossible ? 'auto, impossible' : 'auto, answerable',
      model: model.id,
      L: nominalLength(model.count(source.documents[0]?.text ?? '')),
      score: Number(item.impossible ? status === 'not-found' : first),
      gold: hashText(JSON.stringify(item.gold)),
      pred: hashText(text),
      calls: usage.calls,
      prefillTok: usage.inputTokens,
      decodeTok: usage.outputTokens,
      ms,
      seed,
      dataSha,
      ...(gitSha === undefined ? {} : { gitSha }),
    },
  }
}

function figuresOf(outcomes: readonly Outcome[]): Record<string, number> {
  const answerable = outcomes.filter(({ impossible }) => !impossible)
  const impossible = outcomes.filter((outcome) => outcome.impossible)
  const percent = (of: readonly Outcome[], holds: (outcome: Outcome) => boolean): number =>
    (100 * of.filter(holds).length) / Math.max(1, of.length)
  const against = (ours: (outcome: Outcome) => boolean, theirs: (outcome: Outcome) => boolean): number =>
    mcnemar(answerable.map(ours), answerable.map(theirs)).p
  return {
    first: percent(answerable, ({ first }) => first),
    any: percent(answerable, ({ any }) => any),
    baselineFirst: percent(answerable, ({ baselineFirst }) => baselineFirst),
    baselineAny: percent(answerable, ({ baselineAny }) => baselineAny),
    abstainImpossible: percent(impossible, ({ abstained }) => abstained),
    falseAbstain: percent(answerable, ({ abstained }) => abstained),
    discrimination: discrimination(
      impossible.map(({ confidence }) => confidence),
      answerable.map(({ confidence }) => confidence),
    ),
    firstPValue: against(
      ({ first }) => first,
      ({ baselineFirst }) => baselineFirst,
    ),
    anyPValue: against(
      ({ any }) => any,
      ({ baselineAny }) => baselineAny,
    ),
  }
}

const THRESHOLDS = [0.38, 0.4, 0.42, 0.44, 0.45, 0.46, 0.47, 0.48, 0.5, 0.52]

function notesOf(outcomes: readonly Outcome[]): string[] {
  const answerable = outcomes.filter(({ impossible }) => !impossible)
  const impossible = outcomes.filter((outcome) => outcome.impossible)
  const flagged = (of: readonly Outcome[], threshold: number): string =>
    number((100 * of.filter(({ confidence }) => confidence < threshold).length) / Math.max(1, of.length))
  const rows = THRESHOLDS.map((threshold) => [String(threshold), flagged(impossible, threshold), flagged(answerable, threshold)])
  return [
    `P values are of McNemar's exact test over the ${answerable.length} answerable questions: auto against fused retrieval alone.`,
    'What another threshold of the confidence would call not found, in percent; `discrimination` is the share of pairs of an impossible and an ' +
      'answerable question of which the impossible one has the lower confidence, and bounds both columns.',
    table(['threshold', 'of the impossible', 'of the answerable'], rows),
  ]
}

/** Share of pairs in which the first kind has the lower confidence; a tie counts half (the area under the ROC curve). */
export function discrimination(low: readonly number[], high: readonly number[]): number {
  const wins = low.flatMap((one) => high.map((other) => (one < other ? 1 : one === other ? 0.5 : 0)))
  return wins.reduce<number>((sum, win) => sum + win, 0) / Math.max(1, wins.length)
}
