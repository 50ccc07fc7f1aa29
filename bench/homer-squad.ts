/**
 * HOMER as a retriever: SQuAD articles joined to 16k and 32k tokens, one of which holds the answer. Whether the gold offsets lie inside the
 * sentences that survive the merge, and inside the quotations shown, against fused retrieval and against chance at the same number of tokens.
 */
import { createDocument, type Document, passages } from '../chunkers/index.ts'
import { createMemoryStore, indexPassages, type MemoryStore, searchPassages } from '../memory/index.ts'
import { type LocalEmbedder, type LocalModel, openLocalEmbedder, openLocalModel } from '../models/index.ts'
import { ask, createMemoryJournal, homer, retrieve } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { randomIntegers, shuffled } from './random.ts'
import { type BenchRecord, hashText } from './record.ts'
import { runItems } from './runner.ts'
import { type Article, holdsGold, type Item, parseArticle, type Span, squadFile } from './squad-articles.ts'
import { mcnemar } from './statistics.ts'

const SUITE = 'homer-squad'
const SCOPE = 'squad'
const LENGTHS = { '16k': 16_384, '32k': 32_768 } as const
/** Random orders of a text's passages that chance is averaged over. */
const DRAWS = 200

type Length = keyof typeof LENGTHS

/** A span of one of the joined documents. */
interface Placed extends Span {
  readonly document: number
}

/** A question over several articles, in the order in which they stand; the first part of each is in the text. */
interface JoinedItem {
  readonly item: Item
  readonly documents: readonly Document[]
  /** Place of the document that the question is about. */
  readonly home: number
}

interface Outcome {
  readonly tokens: number
  readonly budget: number
  readonly inSpans: boolean
  readonly inAnySpan: boolean
  readonly inQuotes: boolean
  readonly retrieveInSpans: boolean
  readonly retrieveInQuotes: boolean
  /** Share of random orders. */
  readonly randomInSpans: number
  readonly seconds: number
  readonly records: readonly BenchRecord[]
}

interface Reading {
  readonly model: LocalModel
  readonly embedder: LocalEmbedder
  readonly store: MemoryStore
  readonly signal: AbortSignal
  readonly common: Pick<BenchRecord, 'seed'> & { readonly dataSha: string; readonly gitSha: string }
}

export const bench: Bench = { name: SUITE, run: measure }

async function measure({ data, log, quick, seed, signal }: BenchOptions): Promise<BenchResult> {
  const { rows, sha256 } = await readData(data, squadFile, parseArticle)
  const questions = quick ? 4 : 60
  const lengths: readonly Length[] = quick ? ['16k'] : ['16k', '32k']
  await using model = await openLocalModel({ prefixCacheBytes: 0 })
  await model.load()
  const embedder = await openLocalEmbedder()
  const store = createMemoryStore()
  for (const { document } of rows) await indexArticle(store, document, embedder, signal)
  const gitSha = (await commit()) ?? 'none'
  const settings = { questions, seed, dataSha: sha256, model: model.id, embedder: embedder.id, heads: model.evidenceHeads }
  const reading: Reading = { model, embedder, store, signal, common: { seed, dataSha: sha256, gitSha } }
  const figures: Record<string, number> = {}
  const outcomes: Outcome[] = []
  for (const length of lengths) {
    const items = joinItems(rows, { length: LENGTHS[length], questions, seed, count: (text) => model.count(text) })
    const found = await runItems<JoinedItem, Outcome>({
      name: SUITE,
      settings: { ...settings, length, gitSha },
      items,
      idOf: ({ item }) => item.id,
      run: (item) => readItem(item, length, reading),
      signal,
      onItem: ({ done, total }) => log(`${SUITE}: ${done} of ${total} questions at ${length}`),
    })
    Object.assign(figures, figuresOf(found, length))
    outcomes.push(...found)
  }
  return { settings, figures, items: outcomes.flatMap(({ records }) => records), notes: notesOf(outcomes) }
}

async function indexArticle(store: MemoryStore, document: Document, embedder: LocalEmbedder, signal: AbortSignal): Promise<void> {
  const cut = passages(document).map(({ index, start, end, text }) => ({
    id: `${document.name}/${index}`,
    index,
    start,
    end,
    text,
    context: document.name,
  }))
  await indexPassages({ store, scope: SCOPE, documentId: document.name, passages: cut, embedder, version: '1', signal })
}

interface JoinOptions {
  readonly length: number
  readonly questions: number
  readonly seed: number
  readonly count: (text: string) => number
}

/** Answerable questions, each with its article somewhere among others; the last of those is cut at a paragraph so that the length fits. */
function joinItems(articles: readonly Article[], { length, questions, seed, count }: JoinOptions): JoinedItem[] {
  const random = randomIntegers(seed)
  const sizes = new Map(articles.map(({ document }) => [document, count(document.text)]))
  const short = articles.filter(({ document }) => (sizes.get(document) ?? 0) < length)
  const all = short.flatMap(({ document, items }) => items.filter(({ impossible }) => !impossible).map((item) => ({ document, item })))
  return shuffled(all, random)
    .slice(0, questions)
    .map(({ document, item }) => {
      let room = length - (sizes.get(document) ?? 0)
      const others: Document[] = []
      const rest = articles.map((article) => article.document).filter((other) => other !== document)
      for (const other of shuffled(rest, random)) {
        const part = startOf(other, room, count)
        if (part === undefined) break
        others.push(part)
        room -= count(part.text)
      }
      const home = random(0, others.length)
      return { item, documents: [...others.slice(0, home), document, ...others.slice(home)], home }
    })
}

/** As many whole paragraphs as have room. */
function startOf(document: Document, room: number, count: (text: string) => number): Document | undefined {
  const paragraphs = document.text.split('\n\n')
  let text = ''
  for (const paragraph of paragraphs) {
    const more = `${text}${paragraph}\n\n`
    if (count(more) > room) break
    text = more
  }
  return text.trim() === '' ? undefined : createDocument({ name: document.name, title: document.name, text, sections: [] })
}

async function readItem({ item, documents, home }: JoinedItem, length: Length, reading: Reading): Promise<Outcome> {
  const { model, embedder, signal, common } = reading
  const journal = createMemoryJournal()
  const began = performance.now()
  const answer = await ask(documents, item.question, { strategy: homer({ model, embedder }), journal, signal }).result
  const ms = Math.round(performance.now() - began)
  const step = (await journal.listSteps(answer.runId)).find(({ agent }) => agent === 'homer-reader')
  const { passages: survivors = [], kept = [] } = JSON.parse(step?.output ?? '{}') as { passages?: Placed[]; kept?: number[] }
  const budget = kept.reduce((sum, tokens) => sum + tokens, 0)
  const count = ({ document, start, end }: Placed): number => model.count(documents[document]?.slice(start, end) ?? '')
  const retrieved = await ask(documents, item.question, { strategy: retrieve({ model, embedder }), signal }).result
  const own = (placed: readonly Placed[]): Placed[] => placed.filter(({ document }) => document === home)
  const holds = (placed: readonly Placed[]): boolean => holdsGold(own(within(placed, budget, count)), item)
  const cited = (citations: typeof answer.citations): boolean =>
    holdsGold(
      citations.filter(({ documentId }) => documentId === documents[home]?.id),
      item,
    )
  const score = {
    'homer, spans': holds(survivors),
    'homer, quotations': cited(answer.citations),
    'retrieve, spans': holds(await retrieveSpans(item, documents, reading)),
    'retrieve, quotations': cited(retrieved.citations),
  }
  const records = Object.entries(score).map(([system, right]): BenchRecord => ({
    suite: SUITE,
    item: item.id,
    system: `${system}, ${length}`,
    model: model.id,
    L: LENGTHS[length],
    score: Number(right),
    gold: hashText(JSON.stringify(item.gold)),
    pred: hashText((system.startsWith('homer') ? answer : retrieved).text),
    calls: answer.usage.calls,
    prefillTok: answer.usage.inputTokens,
    decodeTok: answer.usage.outputTokens,
    ms,
    seed: common.seed,
    dataSha: common.dataSha,
    gitSha: common.gitSha,
  }))
  return {
    tokens: documents.reduce((sum, { text }) => sum + model.count(text), 0),
    budget,
    inSpans: score['homer, spans'],
    inAnySpan: holdsGold(own(survivors), item),
    inQuotes: score['homer, quotations'],
    retrieveInSpans: score['retrieve, spans'],
    retrieveInQuotes: score['retrieve, quotations'],
    randomInSpans: chance(item, documents, home, { budget, count, seed: common.seed }),
    seconds: ms / 1000,
    records,
  }
}

/** The first passages that have no more than `budget` tokens together. */
function within(placed: readonly Placed[], budget: number, count: (one: Placed) => number): Placed[] {
  let room = budget
  return placed.filter((one) => {
    if (room <= 0) return false
    room -= count(one)
    return room >= 0
  })
}

/** All passages of the text, as fused retrieval ranks them. */
async function retrieveSpans(item: Item, documents: readonly Document[], { store, embedder, signal }: Reading): Promise<Placed[]> {
  const documentIds = documents.map(({ name }) => name)
  const hits = await searchPassages({ store, scope: SCOPE, documentIds, question: item.question, embedder, k: 400, signal })
  return hits.flatMap(({ record: { documentId, start, end } }) => {
    const document = documentIds.indexOf(documentId)
    return end <= (documents[document]?.text.length ?? 0) ? [{ document, start, end }] : []
  })
}

interface ChanceOptions {
  readonly budget: number
  readonly count: (one: Placed) => number
  readonly seed: number
}

/** How often the gold answer lies inside of as many tokens of sentences drawn at random. */
function chance(item: Item, documents: readonly Document[], home: number, { budget, count, seed }: ChanceOptions): number {
  const random = randomIntegers(seed)
  const all = documents.flatMap((document, place) => passages(document).map(({ start, end }) => ({ document: place, start, end })))
  const sizes = new Map(all.map((one) => [one, count(one)]))
  let hits = 0
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = within(shuffled(all, random), budget, (one) => sizes.get(one) ?? 0)
    hits += Number(
      holdsGold(
        drawn.filter(({ document }) => document === home),
        item,
      ),
    )
  }
  return hits / DRAWS
}

function figuresOf(outcomes: readonly Outcome[], length: Length): Record<string, number> {
  const mean = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / Math.max(1, outcomes.length)
  const percent = (of: (outcome: Outcome) => boolean | number): number => 100 * mean((outcome) => Number(of(outcome)))
  const p = (ours: (outcome: Outcome) => boolean, theirs: (outcome: Outcome) => boolean): number =>
    mcnemar(outcomes.map(ours), outcomes.map(theirs)).p
  return {
    [`goldInSpans${length}`]: percent(({ inSpans }) => inSpans),
    [`goldInQuotes${length}`]: percent(({ inQuotes }) => inQuotes),
    [`retrieveInSpans${length}`]: percent(({ retrieveInSpans }) => retrieveInSpans),
    [`retrieveInQuotes${length}`]: percent(({ retrieveInQuotes }) => retrieveInQuotes),
    [`randomInSpans${length}`]: percent(({ randomInSpans }) => randomInSpans),
    [`goldInAnySpan${length}`]: percent(({ inAnySpan }) => inAnySpan),
    [`spansPValue${length}`]: p(
      ({ inSpans }) => inSpans,
      ({ retrieveInSpans }) => retrieveInSpans,
    ),
    [`quotesPValue${length}`]: p(
      ({ inQuotes }) => inQuotes,
      ({ retrieveInQuotes }) => retrieveInQuotes,
    ),
    [`tokens${length}`]: mean(({ tokens }) => tokens),
    [`budget${length}`]: mean(({ budget }) => budget),
    [`seconds${length}`]: mean(({ seconds }) => seconds),
  }
}

function notesOf(outcomes: readonly Outcome[]): string[] {
  return [
    'Spans are whole sentences, best first, up to as many tokens as the merge kept of the text: of HOMER those in which tokens survived, of retrieval the best, by chance any. "In any span" counts all sentences in which a token survived.',
    `P values are of McNemar's exact test, HOMER against retrieval, over the questions of each length; ${outcomes.length} readings in all.`,
  ]
}
