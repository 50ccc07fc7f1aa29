/**
 * Where a local model looks, against how likely it finds the question: the same candidates of whole SQuAD articles ranked by fused retrieval, by
 * likelihood, by evidence and by what the quoting worker's manager makes of all of them. Times are taken alternately on one machine.
 */
import { type AgentContext, groupQuotes, judgeQuotes, type Quote, questionLikelihoods, rankQuotes, withEvidence } from '../agents/index.ts'
import { type Document, passages } from '../chunkers/index.ts'
import { createMemoryStore, indexPassages, type MemoryStore, searchPassages } from '../memory/index.ts'
import { type LocalEmbedder, type LocalModel, openLocalEmbedder, openLocalModel } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { type BenchRecord, hashText, nominalLength } from './record.ts'
import { runItems } from './runner.ts'
import { holdsGold, type Item, parseArticle, sampleArticles, squadFile } from './squad-articles.ts'
import { mcnemar } from './statistics.ts'

const SUITE = 'evidence'
const QUOTES = 3
const QUOTE_TOKENS = 60
const CANDIDATES = 20
const SCOPE = 'squad'
const SYSTEMS = ['fused', 'likelihood', 'evidence', 'fused + likelihood', 'combined'] as const

type System = (typeof SYSTEMS)[number]

interface Hit {
  readonly first: boolean
  readonly any: boolean
}

interface Outcome {
  readonly hits: Readonly<Record<System, Hit>>
  /** Milliseconds and tokens of judging one by one, of looking once, and of both as the manager does it. */
  readonly ms: Readonly<Record<'likelihood' | 'evidence' | 'combined', number>>
  readonly tokens: Readonly<Record<'likelihood' | 'evidence' | 'combined', number>>
  readonly records: readonly BenchRecord[]
}

export const bench: Bench = { name: SUITE, run: measureEvidence }

async function measureEvidence({ data, log, quick, seed, signal }: BenchOptions): Promise<BenchResult> {
  const { rows, sha256 } = await readData(data, squadFile, parseArticle)
  const size = { answerable: quick ? 40 : 200, impossible: 0 }
  const articles = sampleArticles(rows, size, seed)
  const embedder = await openLocalEmbedder()
  // Nothing that one system computed may serve the next.
  await using model = await openLocalModel({ prefixCacheBytes: 0 })
  await model.load()
  const gitSha = (await commit()) ?? 'none'
  const settings = {
    ...size,
    seed,
    candidates: CANDIDATES,
    dataSha: sha256,
    model: model.id,
    embedder: embedder.id,
    heads: model.evidenceHeads,
  }
  const outcomes: Outcome[] = []
  for (const { document, items } of articles) {
    const store = await indexed(document, embedder, signal)
    const run = (item: Item): Promise<Outcome> =>
      compare(item, { document, store, model, embedder, signal, common: { seed, dataSha: sha256, gitSha } })
    outcomes.push(
      ...(await runItems({
        name: SUITE,
        settings: { ...settings, article: document.hash, gitSha },
        items,
        idOf: ({ id }) => id,
        run,
        signal,
      })),
    )
    log(`evidence: ${outcomes.length} of ${size.answerable} questions`)
  }
  return { settings, figures: figuresOf(outcomes), items: outcomes.flatMap(({ records }) => records), notes: notesOf(outcomes) }
}

async function indexed(document: Document, embedder: LocalEmbedder, signal: AbortSignal): Promise<MemoryStore> {
  const store = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
  const cut = passages(document).map(({ index, start, end, text }) => ({
    id: `${index}`,
    index,
    start,
    end,
    text,
    context: document.title ?? '',
  }))
  await indexPassages({ store, scope: SCOPE, documentId: document.id, passages: cut, embedder, version: '1', signal })
  return store
}

interface Comparing {
  readonly document: Document
  readonly store: MemoryStore
  readonly model: LocalModel
  readonly embedder: LocalEmbedder
  readonly signal: AbortSignal
  readonly common: Pick<BenchRecord, 'seed'> & { readonly dataSha: string; readonly gitSha: string }
}

async function compare(item: Item, { document, store, model, embedder, signal, common }: Comparing): Promise<Outcome> {
  const { question } = item
  const title = document.title ?? ''
  const hits = await searchPassages({ store, scope: SCOPE, question, embedder, k: CANDIDATES, neighbours: 1, signal })
  const quotes = hits.map(({ record, score, words, similarity = 0 }, at): Quote => {
    const { documentId, start, end, text } = record
    return { id: `q${at + 1}`, documentId, chunkIndex: 0, start, end, text, how: 'exact', score, signals: { words, similarity } }
  })
  const unit = { question, title, quotes }
  const meter = metered(signal)
  let combined: Quote[] = []
  let seen: Quote[] = []
  let likelihoods: Awaited<ReturnType<typeof questionLikelihoods>> = []
  const passagesOf = { question, title, passages: quotes.map(({ text }) => text) }
  const runs = [
    async () => (combined = await meter.run('combined', (context) => judgeQuotes(model, unit, context))),
    async () => (likelihoods = await meter.run('likelihood', (context) => questionLikelihoods(model, passagesOf, context))),
    async () => (seen = await meter.run('evidence', (context) => withEvidence(model, unit, context))),
  ]
  // Each question begins with another of the three, so that none is always the first after a pause.
  const first = Number.parseInt(hashText(item.id).slice(0, 6), 16) % runs.length
  for (const run of [...runs.slice(first), ...runs.slice(0, first)]) await run()
  const judged = quotes.map((quote, at): Quote => ({ ...quote, signals: { ...quote.signals, ...likelihoods[at] } }))
  const order: Record<System, readonly Quote[]> = {
    fused: quotes,
    likelihood: bySignal(judged, 'likelihood'),
    evidence: bySignal(seen, 'evidence'),
    'fused + likelihood': rankQuotes(question, judged),
    combined: rankQuotes(question, combined),
  }
  const hitsOf = (ranked: readonly Quote[]): Hit => {
    const groups = groupQuotes(ranked, { most: QUOTES, maxTokens: QUOTE_TOKENS, count: (text) => model.count(text) })
    return { first: holdsGold(groups[0] ?? [], item), any: holdsGold(groups.flat(), item) }
  }
  const found = Object.fromEntries(SYSTEMS.map((system) => [system, hitsOf(order[system])])) as Record<System, Hit>
  const records = SYSTEMS.map((system): BenchRecord => ({
    suite: SUITE,
    item: item.id,
    system,
    model: model.id,
    L: nominalLength(model.count(document.text)),
    score: Number(found[system].first),
    gold: hashText(JSON.stringify(item.gold)),
    pred: hashText(order[system][0]?.text ?? ''),
    calls: 0,
    prefillTok: meter.tokens[system as 'combined'] ?? 0,
    decodeTok: 0,
    ms: Math.round(meter.ms[system as 'combined'] ?? 0),
    seed: common.seed,
    dataSha: common.dataSha,
    gitSha: common.gitSha,
  }))
  return { hits: found, ms: meter.ms, tokens: meter.tokens, records }
}

function bySignal(quotes: readonly Quote[], name: string): Quote[] {
  return quotes.toSorted((a, b) => (b.signals?.[name] ?? 0) - (a.signals?.[name] ?? 0))
}

/** Runs parts of agents outside of a workflow and takes their time and tokens. */
function metered(signal: AbortSignal): Pick<Outcome, 'ms' | 'tokens'> & {
  run<T>(name: keyof Outcome['ms'], work: (context: AgentContext) => Promise<T>): Promise<T>
} {
  const ms = { likelihood: 0, evidence: 0, combined: 0 }
  const tokens = { likelihood: 0, evidence: 0, combined: 0 }
  return {
    ms,
    tokens,
    async run(name, work) {
      const began = performance.now()
      const value = await work({
        signal,
        call: () => Promise.reject(new TypeError('Cannot call a chat model here')),
        async compute(part) {
          const { value: computed, usage } = await part(signal)
          tokens[name] += usage.inputTokens
          return computed
        },
        delta() {},
        notice() {},
      })
      ms[name] += performance.now() - began
      return value
    },
  }
}

function figuresOf(outcomes: readonly Outcome[]): Record<string, number> {
  const percent = (system: System, kind: keyof Hit): number =>
    (100 * outcomes.filter(({ hits }) => hits[system][kind]).length) / Math.max(1, outcomes.length)
  const sum = (of: 'ms' | 'tokens', name: keyof Outcome['ms']): number => outcomes.reduce((total, outcome) => total + outcome[of][name], 0)
  const p = (one: System, other: System, kind: keyof Hit): number =>
    mcnemar(
      outcomes.map(({ hits }) => hits[one][kind]),
      outcomes.map(({ hits }) => hits[other][kind]),
    ).p
  return {
    first: percent('combined', 'first'),
    any: percent('combined', 'any'),
    costRatio: sum('ms', 'combined') / sum('ms', 'likelihood'),
    tokenRatio: sum('tokens', 'combined') / sum('tokens', 'likelihood'),
    evidenceCostRatio: sum('ms', 'evidence') / sum('ms', 'likelihood'),
    fusedFirst: percent('fused', 'first'),
    fusedAny: percent('fused', 'any'),
    likelihoodFirst: percent('likelihood', 'first'),
    likelihoodAny: percent('likelihood', 'any'),
    evidenceFirst: percent('evidence', 'first'),
    evidenceAny: percent('evidence', 'any'),
    formerFirst: percent('fused + likelihood', 'first'),
    formerAny: percent('fused + likelihood', 'any'),
    firstPValue: p('combined', 'fused + likelihood', 'first'),
    anyPValue: p('combined', 'fused + likelihood', 'any'),
    firstPValueFused: p('combined', 'fused', 'first'),
  }
}

function notesOf(outcomes: readonly Outcome[]): string[] {
  return [
    `All systems rank the same ${CANDIDATES} candidates of retrieval with their neighbours. "former" is fused retrieval with the likelihood of every candidate, "combined" one pass over all of them and the likelihood of the best third.`,
    `P values are of McNemar's exact test over the ${outcomes.length} questions: combined against the former ranking, and against fused retrieval.`,
    'The weights of the ranking were chosen, of several dozen settings, on 100 answerable questions of the same articles that are not in this sample; the heads on generated passages.',
  ]
}
