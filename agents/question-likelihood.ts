/** How likely a question is after each of some passages. */
import { type LikelihoodModel, likelihoodOf, type LikelihoodQuery } from '../models/index.ts'
import type { AgentContext } from './agent.ts'
import type { QuoteSignals } from './quote-signals.ts'

export interface QuestionedPassages {
  readonly question: string
  /** Title of the whole; may be empty. */
  readonly title: string
  readonly passages: readonly string[]
}

export type LikelihoodSignals = Pick<QuoteSignals, 'likelihood' | 'baseline' | 'tokens' | 'weakest'>

/** The signals of each passage, against the question with no passage. */
export async function questionLikelihoods(
  model: LikelihoodModel,
  { question, title, passages }: QuestionedPassages,
  context: AgentContext,
): Promise<LikelihoodSignals[]> {
  const queries = [...passages.map((passage) => [passage]), []].map((one) => questionQuery(title, one, question))
  const found = await computeQueries(model, queries, context, (signal) => model.logProbs(queries, { signal }))
  const baseline = found[passages.length] ?? likelihoodOf([])
  return passages.map((_, at) => {
    const { logProb, tokens } = found[at] ?? likelihoodOf([])
    const gains = tokens.map((value, index) => value - (baseline.tokens[index] ?? 0))
    const weakest = gains.length === 0 ? 0 : Math.min(...gains)
    return { likelihood: logProb, baseline: baseline.logProb, tokens: tokens.length, weakest }
  })
}

/** Runs work on a local model and counts what it reads. */
export async function computeQueries<T>(
  model: LikelihoodModel,
  queries: readonly LikelihoodQuery[],
  context: AgentContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return context.compute(async (signal) => {
    const value = await work(signal)
    const inputTokens = queries.reduce((sum, { prefix, text }) => sum + model.count(prefix) + model.count(text), 0)
    return { value, usage: { calls: 1, inputTokens, outputTokens: 0, usd: 0 } }
  })
}

/** The question after passages (measured: the title before a sentence lifts the right one), or after the title alone. */
export function questionQuery(title: string, passages: readonly string[], question: string): LikelihoodQuery {
  const heading = title === '' ? '' : ` ${title}.`
  const text = passages.map((passage) => ` ${oneLine(passage)}`).join('')
  return { prefix: `Passage:${heading}${text}\nQuestion:`, text: ` ${question}` }
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
