/**
 * Chunkers by what comes back for a question (chunking_evaluation, Smith and Troynikov 2024): recall, precision and intersection over union of the
 * spans that answer it, by vectors alone and by words and vectors together. For five chunks, as is usual, and at equal retrieved tokens, as large
 * chunks buy recall with text. LangChain's recursive splitter, measured in the same run, is the floor.
 */
import type { Span } from '../chunkers/index.ts'
import { createMemoryStore } from '../memory/index.ts'
import { openAICounter, openLocalEmbedder, type TokenEmbedder } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { type ChunkingCorpus, chunkingFile, parseCorpus } from './chunking-data.ts'
import { chunkingNotes } from './chunking-notes.ts'
import { meanAt, type Mode, MODES, type QuestionRun, scoreQuestion, type SystemRun, TOP, withinBudget } from './chunking-runs.ts'
import { precisionOmega } from './chunking-score.ts'
import { type ChunkingSystem, chunkingSystems, type Unit } from './chunking-systems.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { type BenchRecord, hashText } from './record.ts'
import { bootstrapInterval } from './statistics.ts'
import { tokenRuler } from './token-ruler.ts'

const SUITE = 'chunking'
/** Units that a search gives: more than any budget takes. */
const MOST = 100
/** Tokens that are retrieved, beside what the floor's five chunks hold. */
const BUDGETS = [200, 400, 800]
/** A budget at which recall is not nearly whole yet, so that systems can be told apart. */
const FEW = 400

export interface ChunkingScale {
  readonly corpora: readonly ChunkingCorpus[]
  readonly systems: readonly ChunkingSystem[]
  readonly embedder: TokenEmbedder
  readonly count: (text: string) => number
}

export const bench: Bench = {
  name: SUITE,
  async run(options) {
    const { rows, sha256 } = await readData(options.data, chunkingFile, parseCorpus)
    const corpora = options.quick ? rows.filter(({ name }) => name !== 'wikitexts') : rows
    await using embedder = await openLocalEmbedder({ signal: options.signal })
    const result = await measureChunking(options, { corpora, systems: chunkingSystems(), embedder, count: await openAICounter() })
    const items = result.items?.map((item) => ({ ...item, dataSha: sha256 }))
    return { ...result, settings: { ...result.settings, dataSha: sha256 }, ...(items ? { items } : {}) }
  },
}

export async function measureChunking({ log, seed, signal }: BenchOptions, scale: ChunkingScale): Promise<BenchResult> {
  const { corpora, embedder } = scale
  const known = new Map<string, Float32Array>()
  const runs: SystemRun[] = []
  for (const system of scale.systems) {
    const run = await runSystem(system, { ...scale, known, signal })
    runs.push(run)
    log(`chunking: ${system.name}, ${run.units} units, recall at ${TOP} ${(100 * meanAt(run, 'Fused', 'top').recall).toFixed(1)}`)
  }
  const floors = runs.filter(({ system }) => system.isFloor)
  const budget = Math.round(Math.max(...floors.map((run) => meanAt(run, 'Fused', 'top').tokens)))
  const budgets = [...BUDGETS, budget]
  const gitSha = await commit()
  return {
    settings: { corpora: corpora.map(({ name }) => name).join(' '), embedder: embedder.id, top: TOP, budget, seed },
    figures: {
      ...headline(runs, { mode: 'Fused', budget, seed, suffix: '' }),
      ...headline(runs, { mode: 'Vectors', budget, seed, suffix: 'Vectors' }),
      ...headline(runs, { mode: 'Fused', budget: FEW, seed, suffix: `At${FEW}` }),
      ...headline(runs, { mode: 'Vectors', budget: FEW, seed, suffix: `VectorsAt${FEW}` }),
      ...figuresOf(runs, budget),
      budget,
    },
    items: runs.flatMap((run) => recordsOf(run, budget, { model: embedder.id, seed, ...(gitSha === undefined ? {} : { gitSha }) })),
    notes: chunkingNotes(runs, budgets),
  }
}

interface Running extends ChunkingScale {
  /** Vectors by text: systems share some. */
  readonly known: Map<string, Float32Array>
  readonly signal: AbortSignal
}

async function runSystem(system: ChunkingSystem, running: Running): Promise<SystemRun> {
  const began = performance.now()
  const parts: { units: number; tokens: number; questions: QuestionRun[] }[] = []
  for (const corpus of running.corpora) parts.push(await runCorpus(system, corpus, running))
  const units = parts.reduce((sum, part) => sum + part.units, 0)
  return {
    system,
    units,
    tokens: parts.reduce((sum, part) => sum + part.tokens, 0) / units,
    questions: parts.flatMap(({ questions }) => questions),
    ms: performance.now() - began,
  }
}

async function runCorpus(
  system: ChunkingSystem,
  { document, questions }: ChunkingCorpus,
  running: Running,
): Promise<{ units: number; tokens: number; questions: QuestionRun[] }> {
  const { embedder, count, signal } = running
  const units = await system.cut(document, { count, embedder, signal })
  const ruler = tokenRuler(document.text, count)
  const tokens = units.reduce((sum, unit) => sum + ruler.tokens(unit), 0)
  await using store = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
  const vectors = await embedUnits(units, running)
  await store.put(
    units.map(({ start, end, text }, index) => ({
      id: String(index),
      scope: SUITE,
      documentId: document.id,
      start,
      end,
      index,
      text,
      vector: vectors[index] as Float32Array,
    })),
  )
  const runs: QuestionRun[] = []
  for (const { id, question, references } of questions) {
    signal.throwIfAborted()
    const vector = await embedOnce(question, running)
    const search = async (mode: Mode): Promise<Span[]> => {
      const hits = await store.search({ scope: SUITE, text: question, vector, k: MOST, fusion: MODES[mode] })
      return distinct(hits.map(({ record }) => (units[record.index] as Unit).read))
    }
    const spans = { Vectors: await search('Vectors'), Fused: await search('Fused') }
    runs.push({ id, references, ruler, spans, omega: precisionOmega(distinct(units.map(({ read }) => read)), references) })
  }
  return { units: units.length, tokens, questions: runs }
}

async function embedUnits(units: readonly Unit[], { known, embedder, signal }: Running): Promise<Float32Array[]> {
  const missing = [...new Set(units.filter(({ vector, text }) => vector === undefined && !known.has(text)).map(({ text }) => text))]
  const made = await embedder.embed(missing, { signal })
  missing.forEach((text, at) => known.set(text, made[at] as Float32Array))
  return units.map(({ vector, text }) => vector ?? (known.get(text) as Float32Array))
}

async function embedOnce(question: string, { known, embedder }: Running): Promise<Float32Array> {
  const vector = known.get(question) ?? Float32Array.from(await embedder.embedQuery(question))
  known.set(question, vector)
  return vector
}

function distinct(spans: readonly Span[]): Span[] {
  return [...new Map(spans.map(({ start, end }) => [`${start}-${end}`, { start, end }])).values()]
}

interface Headline {
  readonly mode: Mode
  readonly budget: number
  readonly seed: number
  /** Ends the names of the figures. */
  readonly suffix: string
}

/**
 * The best of ours in IoU among those whose recall is no lower than the floor's, beside the floor, at equal tokens; their differences question by
 * question, with intervals.
 */
function headline(runs: readonly SystemRun[], { mode, budget, seed, suffix }: Headline): Record<string, number> {
  const byRecall = runs.toSorted((a, b) => meanAt(b, mode, budget).recall - meanAt(a, mode, budget).recall)
  const floor = byRecall.find(({ system }) => system.isFloor)
  if (floor === undefined) throw new TypeError('Cannot compare chunkers as none is the floor')
  const least = meanAt(floor, mode, budget)
  const able = byRecall
    .filter(({ system }) => !system.isFloor)
    .filter((run, at) => at === 0 || meanAt(run, mode, budget).recall >= least.recall)
  const best = able.toSorted((a, b) => meanAt(b, mode, budget).iou - meanAt(a, mode, budget).iou)[0] ?? floor
  const most = meanAt(best, mode, budget)
  const gain = (name: 'recall' | 'iou'): Record<string, number> => {
    const differences = best.questions.map(
      (question, at) => 100 * (scoreQuestion(question, mode, budget)[name] - scoreQuestion(floor.questions[at]!, mode, budget)[name]),
    )
    const { mean: middle, low, high } = bootstrapInterval(differences, { seed })
    return { [`${name}Gain${suffix}`]: middle, [`${name}GainLow${suffix}`]: low, [`${name}GainHigh${suffix}`]: high }
  }
  return {
    [`bestIou${suffix}`]: 100 * most.iou,
    [`floorIou${suffix}`]: 100 * least.iou,
    [`bestRecall${suffix}`]: 100 * most.recall,
    [`floorRecall${suffix}`]: 100 * least.recall,
    ...gain('iou'),
    ...gain('recall'),
    [`tokensForFloorRecall${suffix}`]: tokensFor(best, mode, least.recall, budget),
  }
}

/** The fewest tokens, of a few sizes, with which a system reaches a recall; the whole budget where it does not. */
function tokensFor(run: SystemRun, mode: Mode, recall: number, budget: number): number {
  const sizes = Array.from({ length: 20 }, (_, at) => Math.round(((at + 1) * budget) / 20))
  return sizes.find((size) => meanAt(run, mode, size).recall >= recall) ?? budget
}

/** Recall and IoU of every system, in percent: of its five chunks by vectors, and at equal tokens. */
function figuresOf(runs: readonly SystemRun[], budget: number): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const run of runs) {
    for (const mode of Object.keys(MODES) as Mode[]) {
      for (const [label, at] of [
        [`At${TOP}`, 'top'],
        ['', budget],
      ] as const) {
        const { recall, iou } = meanAt(run, mode, at)
        figures[`${run.system.name}: recall${mode}${label}`] = 100 * recall
        figures[`${run.system.name}: iou${mode}${label}`] = 100 * iou
      }
    }
  }
  return figures
}

function recordsOf(
  { system, questions, ms }: SystemRun,
  budget: number,
  common: Pick<BenchRecord, 'model' | 'seed' | 'gitSha'>,
): BenchRecord[] {
  return questions.map((question) => ({
    suite: SUITE,
    item: question.id,
    system: system.name,
    L: budget,
    score: scoreQuestion(question, 'Fused', budget).recall,
    gold: hashText(JSON.stringify(question.references)),
    pred: hashText(JSON.stringify(withinBudget(question.spans.Fused, budget, question.ruler))),
    calls: 0,
    prefillTok: 0,
    decodeTok: 0,
    ms: Math.round(ms / questions.length),
    ...common,
  }))
}
