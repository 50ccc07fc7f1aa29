/** The manager of quoting workers: ranks their quotations, says honestly when none answers, and writes a short answer from the best few. */
import { indexTerms } from '../memory/index.ts'
import { type ChatModel, describe, type EvidenceModel, isEvidenceModel, type LikelihoodModel } from '../models/index.ts'
import type { AgentContext } from './agent.ts'
import type { Quote } from './communication-unit.ts'
import { answerConfidence } from './answer-confidence.ts'
import type { Manager, ManagerInput, ManagerOutput } from './manager.ts'
import { groupQuotes } from './group-quotes.ts'
import { judgeQuotes } from './judge-quotes.ts'
import { rankQuotes } from './rank-quotes.ts'
import { usageOf } from './usage-of.ts'
import { NOT_FOUND_TEXT } from './writing-manager.ts'

/** What the manager answers from, and the title of the whole, which names what its sentences may leave unnamed. */
export interface QuoteManagerInput extends ManagerInput {
  readonly title?: string
}

export interface QuoteManagerOptions {
  /** Most quotations that an answer shows; 3 by default. */
  readonly maxQuotes?: number
  /** Confidence below which the answer is `not-found`, from 0 (always answers) to 1; calibrated by `bench squad`. */
  readonly threshold?: number
  /** Whether a model that tells where it looked judges the quotations together before they are ranked; true by default. */
  readonly judge?: boolean
}

/** Tokens of the short answer: a few words. */
const ANSWER_TOKENS = 32
/** Most tokens of a quotation. */
const QUOTE_TOKENS = 60
/**
 * Confidence below which a question is said to have no answer. On 200 answerable and 100 impossible questions (`bench -- squad`) 0.48 flags 16.5 %
 * and 55 %, 0.45 flags 15 % and 50 %, 0.44 flags 14 % and 49 %. An answer that is withheld is worse than a quotation too many.
 */
const THRESHOLD = 0.45

export function quoteManager(model: ChatModel & LikelihoodModel, options: QuoteManagerOptions = {}): Manager {
  const { maxQuotes = 3, threshold = THRESHOLD, judge = true } = options
  const judging = judge && isEvidenceModel(model) ? model : undefined
  return {
    name: 'quote-manager',
    version: 5,
    identity: JSON.stringify({ model: model.id, maxQuotes, threshold, judging: judging !== undefined }),
    key: ({ question, unit, title }: QuoteManagerInput) => ({
      question: question ?? null,
      title: title ?? null,
      quotes: unit.quotes.map(({ id, text, signals }) => [id, text, signals ?? null]),
    }),
    run: (input, context) => reply(model, input, { maxQuotes, threshold, judging, count: (text) => model.count(text) }, context),
    place: (recorded) => recorded,
    estimate: ({ question = '', unit }) =>
      usageOf(
        describe(model),
        1,
        model.count(question) + unit.quotes.slice(0, maxQuotes).reduce((sum, { text }) => sum + model.count(text), 64),
        ANSWER_TOKENS,
      ),
  }
}

interface Settings extends Required<Pick<QuoteManagerOptions, 'maxQuotes' | 'threshold'>> {
  readonly judging: EvidenceModel | undefined
  readonly count: (text: string) => number
}

async function reply(
  model: ChatModel,
  { question = '', unit, title = '' }: QuoteManagerInput,
  { maxQuotes, threshold, judging, count }: Settings,
  context: AgentContext,
): Promise<ManagerOutput> {
  const quotes = judging === undefined ? unit.quotes : await judgeQuotes(judging, { question, title, quotes: unit.quotes }, context)
  const ranked = rankQuotes(question, quotes)
  const groups = groupQuotes(ranked, { most: maxQuotes, maxTokens: QUOTE_TOKENS, count })
  const shown = groups.flat()
  const quoteIds = shown.map(({ id }) => id)
  const continued = groups.flatMap((group) => group.slice(1).map(({ id }) => id))
  const evidence = [title, ...(groups[0] ?? []).map(({ text }) => text)].join(' ')
  const confidence = answerConfidence(question, ranked, evidence)
  const rest = { quoteIds, continued, confidence }
  if (confidence < threshold) return { status: 'not-found', text: NOT_FOUND_TEXT, ...rest }
  const written = await write(model, question, shown, context)
  return { status: 'answered', text: isGrounded(question, written, shown) ? written : oneLine(ranked[0]?.text ?? ''), ...rest }
}

/** A few words from the best quotations, in the order of the text. */
async function write(model: ChatModel, question: string, quotes: readonly Quote[], context: AgentContext): Promise<string> {
  const text = quotes
    .toSorted((a, b) => a.start - b.start)
    .map((quote) => oneLine(quote.text))
    .join('\n')
  const content = `Text:\n${text}\n\nQuestion: ${question}\nAnswer with a few words from the text.`
  return (await context.call({ model, messages: [{ role: 'user', content }], maxTokens: ANSWER_TOKENS, temperature: 0 })).trim()
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

/**
 * Whether every telling word of an answer stands in its quotations, and one of them is not the question's: a small model makes words up or
 * says the question again, and neither is shown.
 */
export function isGrounded(question: string, answer: string, quotes: readonly Pick<Quote, 'text'>[]): boolean {
  const known = new Set(quotes.flatMap(({ text }) => indexTerms(text)))
  const asked = new Set(indexTerms(question))
  const terms = indexTerms(answer)
  return terms.every((term) => known.has(term)) && terms.some((term) => !asked.has(term))
}
