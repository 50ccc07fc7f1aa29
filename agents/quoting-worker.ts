/**
 * The quoting worker: for a local model that judges far better than it writes. It does not summarise; it says which sentences of a chunk
 * the question is about, by the likelihood of the question under each of them against its likelihood without any.
 */
import type { Chunk } from '../chunkers/index.ts'
import { ContextOverflowError } from '../errors/index.ts'
import { approximateCount, type LikelihoodModel, type SelfDescribing } from '../models/index.ts'
import type { AgentContext } from './agent.ts'
import { emptyUnit, type Quote } from './communication-unit.ts'
import { findCandidates, type QuoteCandidate } from './find-candidates.ts'
import { cutWords } from './fit-unit.ts'
import { placeQuotes } from './place-reading.ts'
import { oneLine, questionLikelihoods } from './question-likelihood.ts'
import { gainOf, isAboutQuestion } from './rank-quotes.ts'
import { nextQuoteNumber } from './references.ts'
import { usageOf } from './usage-of.ts'
import type { RecordedQuote, RecordedReading, Worker, WorkerInput, WorkerOutput } from './worker.ts'

export interface QuotingWorkerOptions {
  /** Passages of a chunk that are judged where retrieval has not chosen them; 8 by default. */
  readonly candidates?: number
  /** Quotations that a unit may hold; 24 by default. The ones with the least gain leave first. */
  readonly maxQuotes?: number
  /**
   * Whether it judges passages that retrieval has chosen; true by default. Otherwise they are handed on as they are, for a manager that judges them
   * all together: `quoteManager` of a model that tells where it looked.
   */
  readonly judgeRetrieved?: boolean
}

/** What the quoting worker reads besides: what retrieval chose, and the title of the whole. */
export interface QuotingInput extends WorkerInput {
  readonly candidates?: readonly QuoteCandidate[]
  readonly title?: string
}

/** Tokens of a chunk where the caller does not say: the worker judges passages, so a chunk is only the reach of one step. */
const CHUNK_TOKENS = 1024
/** A model that exposes likelihoods runs here. */
const FREE = { input: 0, output: 0 }
/** Most tokens of a passage with its title: what the prompt adds is a handful. */
const PASSAGE_TOKENS = 160
/** Of which a chunk's context takes at most as many, so that a passage of usual length stands beside it. */
const CONTEXT_TOKENS = 64

/**
 * Makes the worker. Its notes stay empty; its unit is the quotations with their `QuoteSignals`. `score` is the gain, likelihood less baseline,
 * for each token of the question.
 */
export function quotingWorker(model: LikelihoodModel & Partial<SelfDescribing>, options: QuotingWorkerOptions = {}): Worker {
  const { candidates: most = 8, maxQuotes = 24, judgeRetrieved = true } = options
  return {
    name: 'quoting-worker',
    version: 3,
    identity: JSON.stringify({ model: model.id, most, judgeRetrieved }),
    // What retrieval says of a candidate shifts a little with every edit of the document, and is set beside the reading when it is placed.
    key: ({ chunk, question, candidates, title }: QuotingInput) => ({
      text: chunk.text,
      title: titleOf(chunk, title, (text) => model.count(text)),
      question: question ?? null,
      candidates: candidates?.map(({ start, end }) => [start, end]) ?? null,
    }),
    run: (input, context) => read(model, input, { most, judgeRetrieved }, context),
    place: (recorded, input) => place(recorded, input, maxQuotes),
    estimate: ({ question = '', candidates }: QuotingInput) => {
      const queries = (candidates?.length ?? most) + 1
      return usageOf({ price: FREE, ...model.describe?.() }, 1, queries * (model.count(question) + PASSAGE_TOKENS / 2), 0)
    },
    chunkBudget: (question) => chunkBudget(model, question),
    count: (text) => model.count(text),
    // The chunk is never sent: its passages are, and those are counted exactly.
    chunkCount: approximateCount,
  }
}

interface Settings {
  readonly most: number
  readonly judgeRetrieved: boolean
}

async function read(
  model: LikelihoodModel,
  input: QuotingInput,
  { most, judgeRetrieved }: Settings,
  context: AgentContext,
): Promise<RecordedReading> {
  const { chunk, question } = input
  if (question === undefined) {
    throw new TypeError('Cannot summarise with a quoting worker as it only judges passages: give a question, or a writing worker')
  }
  const candidates = input.candidates ?? findCandidates(chunk.text, question, most)
  if (candidates.length === 0) return { found: false, notes: '', quotes: [], dropped: [], flags: [] }
  if (input.candidates !== undefined && !judgeRetrieved) {
    return { found: true, notes: '', quotes: candidates.map((candidate) => asQuote(chunk, candidate)), dropped: [], flags: [] }
  }
  const judged = await judge(
    model,
    { chunk, candidates, question, title: titleOf(chunk, input.title, (text) => model.count(text)) },
    context,
  )
  const quotes = input.candidates === undefined ? judged.map((quote) => withRetrieved(quote, candidates)) : judged
  return { found: quotes.some(isAboutQuestion), notes: '', quotes, dropped: [], flags: [] }
}

interface Judged {
  readonly chunk: Chunk
  readonly candidates: readonly QuoteCandidate[]
  readonly question: string
  readonly title: string
}

async function judge(model: LikelihoodModel, judged: Judged, context: AgentContext): Promise<RecordedQuote[]> {
  const { chunk, candidates, question, title } = judged
  const passages = candidates.map(({ start, end }) => chunk.text.slice(start, end))
  const likelihoods = await questionLikelihoods(model, { question, title, passages }, context)
  return candidates.map((candidate, at) => {
    const signals = { ...likelihoods[at] }
    return Object.assign(asQuote(chunk, candidate), { score: gainOf({ signals }), signals })
  })
}

function asQuote({ text }: Chunk, { start, end }: QuoteCandidate): RecordedQuote {
  return { start, end, text: text.slice(start, end), how: 'exact' }
}

/** The quotation with what retrieval says of it: as its score too, where it was not judged. */
function withRetrieved(quote: RecordedQuote, candidates: readonly QuoteCandidate[]): RecordedQuote {
  const candidate = candidates.find(({ start, end }) => start === quote.start && end === quote.end)
  if (candidate === undefined) return quote
  const { score, similarity = 0, words = score } = candidate
  return { ...quote, score: quote.score ?? score, signals: { words, similarity, ...quote.signals } }
}

/** What stands above the passages: the title of the whole, or where the chunk stands. */
function titleOf(chunk: Chunk, title: string | undefined, count: (text: string) => number): string {
  const context = chunk.context === undefined ? undefined : oneLine(cutWords(chunk.context, CONTEXT_TOKENS, count))
  return title ?? context ?? chunk.sections.at(-1) ?? ''
}

/** Quotations join the unit whole; where there are too many, those with the least gain leave, and the flag says so. */
function place(recorded: RecordedReading, input: QuotingInput, maxQuotes: number): WorkerOutput {
  const { unit = emptyUnit, candidates = [] } = input
  const known = recorded.quotes.map((quote) => withRetrieved(quote, candidates))
  const quotes = placeQuotes(known, input.chunk, nextQuoteNumber(unit))
  const all = [...unit.quotes, ...quotes]
  const kept = keepBest(all, maxQuotes)
  const { found, notes } = recorded
  const flags = kept.length < all.length ? [...recorded.flags, 'evidence-dropped'] : recorded.flags
  return { found, text: notes, quotes, unit: { notes: unit.notes, quotes: kept }, flags }
}

function keepBest(quotes: readonly Quote[], most: number): readonly Quote[] {
  if (quotes.length <= most) return quotes
  const best = new Set(quotes.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0)).slice(0, most))
  return quotes.filter((quote) => best.has(quote))
}

function chunkBudget(model: LikelihoodModel, question: string | undefined): number {
  const parts = { question: model.count(question ?? ''), chunk: PASSAGE_TOKENS }
  if (parts.question + parts.chunk > model.window) {
    throw new ContextOverflowError(`Cannot ask ${model.id}`, parts, model.window, 'Shorten the question')
  }
  return CHUNK_TOKENS
}
