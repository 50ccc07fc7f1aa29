/**
 * Do the turns that answer a question come back? LoCoMo's questions name them, so that memory is measured without a model that answers or
 * judges: recall among the ten best of a search, and within budgets for each controller.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMemoryStore, type MemoryQuery, type MemoryStore } from '../memory/index.ts'
import { approximateCount, type NamedEmbedder, openLocalEmbedder } from '../models/index.ts'
import {
  type ControllerOptions,
  fullHistory,
  type MemoryController,
  naiveMemory,
  scmController,
  slidingWindow,
} from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { CATEGORIES, type LocomoConversation, locomoFile, type LocomoQuestion, type LocomoTurn, parseLocomo } from './locomo-data.ts'
import { commit } from './machine.ts'
import { linePlot } from './plot.ts'
import { type BenchRecord, hashText } from './record.ts'
import { RUNS_FOLDER } from './runner.ts'

const SUITE = 'locomo'
const K = 10
const BUDGETS = [500, 1_000, 2_000]
const SCOPE = 'locomo'

export const bench: Bench = {
  name: SUITE,
  run: (options) => measureLocomo(options, { conversations: options.quick ? 1 : Infinity, open: openLocalEmbedder }),
}

export interface LocomoScale {
  readonly conversations: number
  open(): Promise<NamedEmbedder & Partial<AsyncDisposable>>
  /** Where vectors are kept between runs. */
  readonly cache?: string
}

/** One question as one system did it. */
interface Outcome {
  readonly system: string
  readonly question: LocomoQuestion
  /** Share of the evidence that came back. */
  readonly recall: number
  readonly tokens: number
  readonly ms: number
}

export async function measureLocomo({ data, log, seed, signal }: BenchOptions, scale: LocomoScale): Promise<BenchResult> {
  const { rows, sha256 } = await readData(data, locomoFile, parseLocomo)
  const conversations = rows.slice(0, scale.conversations)
  const embedder = await cachedEmbedder(await scale.open(), conversations, scale.cache ?? join(RUNS_FOLDER, SUITE))
  const outcomes: Outcome[] = []
  for (const conversation of conversations) {
    const memory = await remember(conversation, embedder)
    for (const question of conversation.questions) {
      signal.throwIfAborted()
      if (question.evidence.length > 0) outcomes.push(...(await askAll(memory, conversation, question, embedder)))
    }
    log(
      `locomo: ${conversation.id}, recall@10 ${mean(
        outcomes.filter(({ system }) => system === 'search'),
        ({ recall }) => 100 * recall,
      ).toFixed(1)}`,
    )
  }
  const gitSha = await commit()
  const figures = figuresOf(outcomes)
  return {
    settings: {
      conversations: conversations.length,
      questions: new Set(outcomes.map(({ question }) => question.id)).size,
      k: K,
      embedder: embedder.id,
      dataSha: sha256,
      seed,
    },
    figures,
    items: outcomes.map((outcome) => recordOf(outcome, { seed, dataSha: sha256, gitSha })),
    plots: { budgets: await linePlot({ title: 'Evidence within a budget', x: 'tokens', y: '%', points: pointsOf(figures) }) },
    notes: NOTES,
  }
}

const NOTES: readonly string[] = [
  "recall10: mean share of a question's evidence turns among the ten best of a search by words and vectors, over all categories; bm25Recall10 is the same by words alone. Questions that name no turn are left out. No model answers or judges.",
  'A turn is indexed with its speaker and its session\'s date, and embedded as "speaker: text".',
  "Tried on these development conversations: BM25 over text alone 61.4, with the speaker 63.9, with speaker and date 66.4; vectors of the text alone, of \"speaker: text\", of that with the turn before, with both neighbours, and means of them, at weights from 0.4 to 0.7; the words of the turn before as context (77.9 in all, but a turn's words would then lie in the next one's record); a share of the best neighbour's score from 0.15 to 0.6 (0.4 was kept), of the sum of both sides, one turn away (78.0) and two (79.0).",
]

/** A conversation in a store of its own. */
async function remember({ id, turns }: LocomoConversation, embedder: NamedEmbedder): Promise<MemoryStore> {
  const memory = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
  const vectors = await embedder.embed(turns.map(embeddedText))
  const records = turns.map(({ id: turn, speaker, text, date }, at) => ({
    id: turn,
    kind: 'turn' as const,
    role: 'user' as const,
    text,
    context: `${speaker} ${date}`,
    vector: vectors[at] as Float32Array,
    createdAt: at,
  }))
  await memory.append(SCOPE, id, records)
  return memory
}

function embeddedText({ speaker, text }: LocomoTurn): string {
  return `${speaker}: ${text}`
}

async function askAll(
  memory: MemoryStore,
  { id: threadId }: LocomoConversation,
  question: LocomoQuestion,
  embedder: NamedEmbedder,
): Promise<Outcome[]> {
  const [vector] = (await embedder.embed([question.question])) as [Float32Array]
  const query = { scope: SCOPE, documentIds: [threadId], text: question.question, k: K }
  const searches: Readonly<Record<string, MemoryQuery>> = {
    search: { ...query, vector, neighbours: 2, spread: 0.4 },
    withoutSpread: { ...query, vector, neighbours: 2 },
    bm25: { ...query, fusion: 'words' },
  }
  const outcomes: Outcome[] = []
  const measure = async (system: string, work: () => Promise<{ ids: readonly string[]; tokens: number }>): Promise<void> => {
    const began = performance.now()
    const { ids, tokens } = await work()
    outcomes.push({ system, question, recall: recallOf(question, ids), tokens, ms: performance.now() - began })
  }
  for (const [system, search] of Object.entries(searches))
    await measure(system, async () => ({ ids: (await memory.search(search)).map(({ record }) => record.id), tokens: 0 }))
  const options: ControllerOptions = { memory, embedder, count: approximateCount }
  for (const [name, controller] of Object.entries(controllersOf(options))) {
    for (const budget of name === 'full' ? [FULL] : BUDGETS) {
      await measure(name === 'full' ? name : `${name}-${budget}`, async () => {
        const { items, tokens } = await controller.select({ scope: SCOPE, threadId, text: question.question }, budget)
        return { ids: items.filter(({ form }) => form !== 'dropped').map(({ id }) => id), tokens }
      })
    }
  }
  return outcomes
}

/** More than any conversation has. */
const FULL = 1_000_000

function controllersOf(options: ControllerOptions): Readonly<Record<string, MemoryController>> {
  return {
    scm: scmController(options),
    naive: naiveMemory(options),
    slidingWindow: slidingWindow({ ...options, turns: 1_000 }),
    full: fullHistory(options),
  }
}

function recallOf({ evidence }: LocomoQuestion, ids: readonly string[]): number {
  const found = new Set(ids)
  return evidence.filter((id) => found.has(id)).length / evidence.length
}

function figuresOf(outcomes: readonly Outcome[]): Record<string, number> {
  const of = (system: string): readonly Outcome[] => outcomes.filter((outcome) => outcome.system === system)
  const recall = (items: readonly Outcome[]): number => mean(items, (outcome) => 100 * outcome.recall)
  const categories = Object.entries(CATEGORIES).flatMap(([number, name]) => {
    const search = of('search').filter(({ question }) => question.category === Number(number))
    const words = of('bm25').filter(({ question }) => question.category === Number(number))
    return search.length === 0
      ? []
      : [
          [`${name}Recall10`, recall(search)],
          [`${name}Bm25Recall10`, recall(words)],
        ]
  })
  const budgeted = [...new Set(outcomes.map(({ system }) => system))].filter((system) => /-\d+$|^full$/.test(system))
  return {
    recall10: recall(of('search')),
    bm25Recall10: recall(of('bm25')),
    withoutSpreadRecall10: recall(of('withoutSpread')),
    answerableRecall10: recall(of('search').filter(({ question }) => question.category !== 5)),
    ...Object.fromEntries(categories),
    ...Object.fromEntries(
      budgeted.flatMap((system) => [
        [system, recall(of(system))],
        [`${system}Tokens`, mean(of(system), ({ tokens }) => tokens)],
      ]),
    ),
  }
}

function pointsOf(figures: Readonly<Record<string, number>>): { x: number; y: number; series: string }[] {
  return Object.entries(figures).flatMap(([name, y]) => {
    const [, series, budget] = /^(\w+)-(\d+)$/.exec(name) ?? []
    return series === undefined ? [] : [{ series, x: Number(budget), y }]
  })
}

function mean<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0) / Math.max(1, items.length)
}

function recordOf(
  { system, question, recall, tokens, ms }: Outcome,
  common: { readonly seed: number; readonly dataSha: string; readonly gitSha: string | undefined },
): BenchRecord {
  const { gitSha, ...rest } = common
  return {
    suite: SUITE,
    item: question.id,
    system,
    model: 'none',
    L: Number(/-(\d+)$/.exec(system)?.[1] ?? K),
    score: recall,
    gold: hashText(question.evidence.join(' ')),
    pred: hashText(String(recall)),
    calls: 0,
    prefillTok: tokens,
    decodeTok: 0,
    ms: Math.round(ms),
    ...rest,
    ...(gitSha === undefined ? {} : { gitSha }),
  }
}

/** The embedder with the vectors of all turns and questions at hand, from a file where an earlier run left them. */
async function cachedEmbedder(
  embedder: NamedEmbedder & Partial<AsyncDisposable>,
  conversations: readonly LocomoConversation[],
  folder: string,
): Promise<NamedEmbedder> {
  const { id, dimensions } = embedder
  const texts = [
    ...new Set(conversations.flatMap(({ turns, questions }) => [...turns.map(embeddedText), ...questions.map(({ question }) => question)])),
  ]
  const path = join(
    folder,
    `${createHash('sha256')
      .update(JSON.stringify([id, texts]))
      .digest('hex')
      .slice(0, 16)}.vectors`,
  )
  const bytes = await readFile(path).catch(() => undefined)
  const vectors = bytes ? split(bytes, dimensions) : await embedder.embed(texts)
  if (!bytes) {
    await mkdir(folder, { recursive: true })
    await writeFile(
      `${path}.part`,
      Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))),
    )
    await rename(`${path}.part`, path)
  }
  await embedder[Symbol.asyncDispose]?.()
  const byText = new Map(texts.map((text, at) => [text, vectors[at] as Float32Array]))
  const embed = async (asked: readonly string[]): Promise<Float32Array[]> => asked.map((text) => byText.get(text) as Float32Array)
  return {
    id,
    dimensions,
    embed,
    embedDocuments: async (asked) => (await embed(asked)).map((vector) => Array.from(vector)),
    embedQuery: async (text) => Array.from((await embed([text]))[0] as Float32Array),
  }
}

function split(bytes: Buffer, dimensions: number): Float32Array[] {
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  return Array.from({ length: all.length / dimensions }, (_, at) => all.subarray(at * dimensions, (at + 1) * dimensions))
}
