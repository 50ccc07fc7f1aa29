/**
 * Judges all quotations of a unit together: one pass over them with the question after them says where the model looks while it reads the
 * question, and the few that it looks at most are then judged one by one, by the likelihood of the question. Both together read no more than
 * judging each one by one, and rank better (see `bench evidence`).
 */
import type { EvidenceModel } from '../models/index.ts'
import type { AgentContext } from './agent.ts'
import type { Quote } from './communication-unit.ts'
import { computeQueries, oneLine, questionLikelihoods, questionQuery } from './question-likelihood.ts'
import { rankQuotes } from './rank-quotes.ts'

/** Share of the quotations that are judged one by one: reading the others once, side by side, costs what is saved. */
const JUDGED = 0.35
/** Tokens that the window is left for what stands around the quotations. */
const AROUND = 64

export interface JudgedUnit {
  readonly question: string
  /** Title of the whole; may be empty. */
  readonly title: string
  readonly quotes: readonly Quote[]
}

/** The quotations with the signals `evidence` and, of the best, the likelihood of the question, where they had none. The order stays. */
export async function judgeQuotes(model: EvidenceModel, unit: JudgedUnit, context: AgentContext): Promise<Quote[]> {
  if (unit.quotes.length === 0) return []
  const seen = await withEvidence(model, unit, context)
  return withLikelihood(model, { ...unit, quotes: seen }, context)
}

/** The quotations with the signal `evidence`: one pass over all of them. The order stays. */
export async function withEvidence(model: EvidenceModel, { question, title, quotes }: JudgedUnit, context: AgentContext): Promise<Quote[]> {
  const shown = fitting(model, { question, title, quotes }).toSorted(inOrderOfText)
  const query = evidenceQuery(title, shown, question)
  const [found] = await computeQueries(model, [query], context, (signal) => model.evidence([query], { signal }))
  const weights = new Map(shown.map((quote, at) => [quote, found?.weights[at] ?? 0]))
  return quotes.map((quote) => withSignals(quote, { evidence: weights.get(quote) ?? 0 }))
}

/** The question after all passages, each of which is a span. */
export function evidenceQuery(
  title: string,
  passages: readonly Pick<Quote, 'text'>[],
  question: string,
): ReturnType<typeof questionQuery> & { readonly spans: { start: number; end: number }[] } {
  const texts = passages.map(({ text }) => text)
  let end = questionQuery(title, [], '').prefix.indexOf('\n')
  const spans = texts.map((text) => {
    const start = end + 1
    end = start + oneLine(text).length
    return { start, end }
  })
  return { ...questionQuery(title, texts, question), spans }
}

/** The best quotations by what retrieval says, as many as the window holds. */
function fitting(model: EvidenceModel, { question, title, quotes }: JudgedUnit): Quote[] {
  let room = model.window - AROUND - model.count(question) - model.count(title)
  const ranked = rankQuotes(
    question,
    quotes.map((quote) => ({ quote, text: quote.text, ...(quote.signals && { signals: quote.signals }) })),
  )
  return ranked.flatMap(({ quote }) => ((room -= model.count(` ${quote.text}`)) >= 0 ? [quote] : []))
}

async function withLikelihood(model: EvidenceModel, { question, title, quotes }: JudgedUnit, context: AgentContext): Promise<Quote[]> {
  const most = Math.ceil(JUDGED * quotes.length)
  const ranked = rankQuotes(question, quotes).slice(0, most)
  const open = quotes.filter(({ id, signals }) => signals?.['likelihood'] === undefined && ranked.some((one) => one.id === id))
  if (open.length === 0) return [...quotes]
  const signals = await questionLikelihoods(model, { question, title, passages: open.map(({ text }) => text) }, context)
  return quotes.map((quote) => {
    const at = open.indexOf(quote)
    return at < 0 ? quote : withSignals(quote, { ...signals[at] })
  })
}

function withSignals(quote: Quote, signals: Readonly<Record<string, number>>): Quote {
  return { ...quote, signals: { ...quote.signals, ...signals } }
}

function inOrderOfText(a: Quote, b: Quote): number {
  return a.documentId === b.documentId ? a.start - b.start : a.documentId < b.documentId ? -1 : 1
}
