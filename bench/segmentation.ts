/**
 * Where topics change: the library's chunkers that ask a model, against TextTiling and trivial borders, on generated texts (passages of addresses one after
 * the other) and on meetings with topics. Chunks are cut by the public chunkers, and their beginnings are the borders.
 */
import { type AsyncChunker, createDocument, crossSegment, likelihood, semantic } from '../chunkers/index.ts'
import { type LikelihoodModel, type NamedEmbedder, openLocalEmbedder, openLocalModel } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { type RandomInteger, randomIntegers, shuffled } from './random.ts'
import { type BenchRecord, hashText } from './record.ts'
import { table } from './report.ts'
import { runItems } from './runner.ts'
import { borderF1, pk, type Segmentation, windowDiff } from './segmentation-metrics.ts'
import { choiTexts, meetingsOf, meetingText, type SegmentedText } from './segmented-texts.ts'
import { textTiling } from './text-tiling.ts'

const SUITE = 'segmentation'
const SYSTEMS = ['none', 'all', 'even', 'random', 'TextTiling', 'semantic', 'crossSegment', 'likelihood'] as const
const SETS = ['choi', 'qmsum'] as const

type System = (typeof SYSTEMS)[number]
type TextSet = (typeof SETS)[number]

/** English has about as many UTF-16 code units a token. */
const UNITS_PER_TOKEN = 4.3
/** More than any text has, so that nothing but the settings bounds a chunk. */
const BUDGET = 1_000_000
/** Draws of random borders whose mean counts. */
const DRAWS = 20

/** Chosen on the dev halves: every other address with seed 7, and every third meeting. */
const CHOSEN = {
  choi: { block: 8, borders: { target: 300, sizeWeight: 1, price: 0.75 }, window: 225, gaps: 2_000 },
  qmsum: { block: 40, borders: { target: 4_000, sizeWeight: 2, price: 2 }, window: 350, gaps: 48 },
} as const

/** How many texts of each set there are, and on how many likelihood is measured, which reads each of them many times over. */
export interface SegmentationScale {
  readonly choi: number
  readonly qmsum: number
  readonly choiLikelihood: number
  readonly qmsumLikelihood: number
}

interface Task {
  readonly set: TextSet
  readonly system: System
  readonly text: SegmentedText
}

interface Outcome {
  readonly set: TextSet
  readonly system: System
  readonly id: string
  readonly pk: number
  readonly windowDiff: number
  readonly f1: number
  readonly borders: number
  readonly expected: number
  readonly record: BenchRecord
}

interface Models {
  readonly embedder: NamedEmbedder
  readonly model: LikelihoodModel
}

const FULL: SegmentationScale = { choi: 100, qmsum: 100, choiLikelihood: 40, qmsumLikelihood: 100 }
const QUICK: SegmentationScale = { choi: 12, qmsum: 6, choiLikelihood: 3, qmsumLikelihood: 2 }

export const bench: Bench = { name: SUITE, run: (options) => measureSegmentation(options, options.quick ? QUICK : FULL) }

export async function measureSegmentation({ data, log, seed, signal }: BenchOptions, scale: SegmentationScale): Promise<BenchResult> {
  const { rows, sha256 } = await readData(data, 'qmsum-val.jsonl.gz', (row) => row)
  const texts: Record<TextSet, readonly SegmentedText[]> = {
    choi: await choiTexts('test', scale.choi, seed),
    qmsum: meetingsOf('test', rows.map(meetingText)).slice(0, scale.qmsum),
  }
  await using embedder = await openLocalEmbedder({ signal })
  await using model = await openLocalModel({ signal })
  const models = { embedder: remembering(embedder), model }
  const gitSha = (await commit()) ?? 'none'
  const settings = { ...scale, seed, dataSha: sha256, embedder: embedder.id, model: model.id, chosen: JSON.stringify(CHOSEN) }
  const outcomes = await runItems<Task, Outcome>({
    name: SUITE,
    settings: { ...settings, gitSha },
    items: plan(texts, scale),
    idOf: ({ system, text }) => `${text.id} ${system}`,
    run: (task) => measure(task, models, { settings: { seed, dataSha: sha256, gitSha }, signal }),
    signal,
    onItem: ({ done, total }) => done % 20 === 0 && log(`${SUITE}: ${done} of ${total}`),
  })
  return { settings, figures: figuresOf(outcomes), items: outcomes.map(({ record }) => record), notes: notesOf(outcomes) }
}

/** An embedder that embeds each text once: two systems ask for the same sentences. */
function remembering(embedder: NamedEmbedder): NamedEmbedder {
  const known = new Map<string, Float32Array>()
  return {
    id: embedder.id,
    dimensions: embedder.dimensions,
    embedDocuments: (texts) => embedder.embedDocuments(texts),
    embedQuery: (text) => embedder.embedQuery(text),
    async embed(texts, options) {
      const open = [...new Set(texts)].filter((text) => !known.has(text))
      const vectors = await embedder.embed(open, options)
      open.forEach((text, at) => known.set(text, vectors[at] as Float32Array))
      return texts.map((text) => known.get(text) as Float32Array)
    },
  }
}

function plan(texts: Readonly<Record<TextSet, readonly SegmentedText[]>>, scale: SegmentationScale): Task[] {
  return SETS.flatMap((set) =>
    SYSTEMS.flatMap((system) => {
      const few = set === 'choi' ? scale.choiLikelihood : scale.qmsumLikelihood
      return texts[set].slice(0, system === 'likelihood' ? few : undefined).map((text) => ({ set, system, text }))
    }),
  )
}

interface Common {
  readonly settings: { readonly seed: number; readonly dataSha: string; readonly gitSha: string }
  readonly signal: AbortSignal
}

async function measure(task: Task, models: Models, { settings, signal }: Common): Promise<Outcome> {
  const { set, system, text } = task
  const { items, borders } = text
  const reference: Segmentation = { items: items.length, borders }
  const began = performance.now()
  const found = await segmentations(task, models, settings.seed, signal)
  const ms = Math.round(performance.now() - began)
  const mean = (of: (segmentation: Segmentation) => number): number => found.reduce((sum, next) => sum + of(next), 0) / found.length
  const scores = {
    pk: mean((next) => pk(reference, next)),
    windowDiff: mean((next) => windowDiff(reference, next)),
    f1: mean((next) => borderF1(reference, next)),
    borders: mean((next) => next.borders.length),
  }
  const asked = { semantic: models.embedder.id, crossSegment: models.embedder.id, likelihood: models.model.id }
  const record: BenchRecord = {
    suite: SUITE,
    item: text.id,
    system: `${set} ${system}`,
    model: system in asked ? asked[system as keyof typeof asked] : 'none',
    L: Math.ceil(text.text.length / UNITS_PER_TOKEN),
    score: 1 - scores.pk,
    gold: hashText(borders.join(' ')),
    pred: hashText(found.map((next) => next.borders.join(' ')).join('\n')),
    calls: 0,
    prefillTok: 0,
    decodeTok: 0,
    ms,
    seed: settings.seed,
    gitSha: settings.gitSha,
    ...(set === 'qmsum' ? { dataSha: settings.dataSha } : {}),
  }
  return { set, system, id: text.id, ...scores, expected: borders.length, record }
}

/** One segmentation, or several whose scores are averaged. */
async function segmentations({ set, system, text }: Task, models: Models, seed: number, signal: AbortSignal): Promise<Segmentation[]> {
  const { items } = text
  const whole = (borders: readonly number[]): Segmentation => ({ items: items.length, borders })
  const count = text.borders.length
  const all = items.slice(1).map((_, at) => at + 1)
  switch (system) {
    case 'none':
      return [whole([])]
    case 'all':
      return [whole(all)]
    case 'even':
      return [whole(text.borders.map((_, at) => Math.round(((at + 1) * items.length) / (count + 1))))]
    case 'random': {
      const random = randomIntegers(seed + items.length)
      return Array.from({ length: DRAWS }, () => whole(drawBorders(all, count, random)))
    }
    case 'TextTiling':
      return [
        whole(
          textTiling(
            items.map(({ start, end }) => text.text.slice(start, end)),
            CHOSEN[set].block,
          ),
        ),
      ]
    default:
      return [whole(await chunkBorders(chunkerOf(set, system, models), text, signal))]
  }
}

function drawBorders(all: readonly number[], count: number, random: RandomInteger): number[] {
  return shuffled(all, random)
    .slice(0, count)
    .toSorted((a, b) => a - b)
}

function chunkerOf(set: TextSet, system: 'semantic' | 'crossSegment' | 'likelihood', { embedder, model }: Models): AsyncChunker {
  const { borders, window, gaps: maxGaps } = CHOSEN[set]
  if (system === 'likelihood') return likelihood({ model, maxGaps, ...borders })
  return system === 'semantic' ? semantic({ embedder, window, ...borders }) : crossSegment({ embedder, window, ...borders })
}

/** The items nearest to where chunks begin. */
async function chunkBorders(chunker: AsyncChunker, { id, text, items }: SegmentedText, signal: AbortSignal): Promise<number[]> {
  const count = (part: string): number => Math.ceil(part.length / UNITS_PER_TOKEN)
  const borders = new Set<number>()
  let next = 0
  for await (const { start } of chunker.chunk(createDocument({ name: id, text, sections: [] }), { maxTokens: BUDGET, count, signal })) {
    const distance = (at: number): number => Math.abs((items[at]?.start ?? Infinity) - start)
    while (distance(next + 1) <= distance(next)) next++
    if (next > 0) borders.add(next)
  }
  return [...borders]
}

/** Means by set and system. */
function figuresOf(outcomes: readonly Outcome[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [name, rows] of groups(outcomes)) {
    figures[`${name}Pk`] = meanOf(rows, 'pk')
    figures[`${name}WindowDiff`] = meanOf(rows, 'windowDiff')
    figures[`${name}F1`] = meanOf(rows, 'f1')
  }
  return figures
}

function meanOf(rows: readonly Outcome[], of: 'pk' | 'windowDiff' | 'f1' | 'borders' | 'expected'): number {
  return rows.reduce((sum, row) => sum + row[of], 0) / rows.length
}

/** Name of each group, such as `choiSemantic`, and `choiFewSemantic` for the texts that likelihood was measured on. */
function groups(outcomes: readonly Outcome[]): Map<string, Outcome[]> {
  const found = new Map<string, Outcome[]>()
  const few = new Set(outcomes.filter(({ system }) => system === 'likelihood').map(({ id }) => id))
  for (const outcome of outcomes) {
    const system = outcome.system.charAt(0).toUpperCase() + outcome.system.slice(1)
    const names = [
      `${outcome.set}${system}`,
      ...(few.has(outcome.id) && outcome.system !== 'likelihood' ? [`${outcome.set}Few${system}`] : []),
    ]
    for (const name of names) found.set(name, [...(found.get(name) ?? []), outcome])
  }
  return found
}

function notesOf(outcomes: readonly Outcome[]): string[] {
  const rows = [...groups(outcomes)].map(([name, of]) => {
    const figures = (['pk', 'windowDiff', 'f1', 'borders', 'expected'] as const).map((measured) => meanOf(of, measured))
    return [name, String(of.length)].concat(figures.map((value) => value.toFixed(3)))
  })
  return [
    table(['texts and system', 'texts', 'Pk', 'WindowDiff', 'F1 ± 1', 'borders', 'true borders'], rows),
    'Pk and WindowDiff are errors: lower is better. Items are sentences (choi) and turns (qmsum). even and random are told the true number of borders; the others are not.',
    'Settings were chosen on other texts: generated with another seed of the other half of the addresses, and every third meeting. Those of TextTiling too: the best block of 2 to 10 sentences and of 5 to 200 turns.',
    `Few: the texts that likelihood was measured on, which reads each gap's surroundings anew. In a meeting it judges ${CHOSEN.qmsum.gaps} gaps.`,
    'The time of crossSegment leaves out the embedding of sentences, which semantic did.',
  ]
}
