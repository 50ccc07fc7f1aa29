import type { FoundQuote } from '../chunkers/index.ts'
import { cutWords } from './fit-unit.ts'
import { wordsOf } from './guards.ts'
import type { ParsedQuote } from './parse-reply.ts'
import { quoteFinder } from './quote-finder.ts'
import type { RecordedQuote } from './worker.ts'

/** A quotation found again in the text it was taken from. Offsets count from the start of that text. */
export interface VerifiedQuote extends RecordedQuote {
  /** The id that the reply gave it. */
  readonly label?: string
}

export interface VerifyOptions {
  readonly question?: string | undefined
  /** Longest quotation in tokens; a longer one is cut between words. */
  readonly maxTokens: number
  readonly count: (text: string) => number
}

export interface Verification {
  readonly quotes: readonly VerifiedQuote[]
  /** Quotations that are not in the text. */
  readonly unverified: readonly ParsedQuote[]
}

/** Letters and digits that a quotation must have, so that a stray word is no evidence. */
const FEWEST_SIGNS = 4
/** Words that each side of an ellipsis must have to be looked for alone. */
const FEWEST_WORDS = 3

/**
 * Looks for each quotation in the text, literally (see `quoteFinder`). One with an ellipsis is looked for in its parts. Spans that lie in one
 * another are kept once. `score` is the share of the question's words that the quotation holds.
 */
export function verifyQuotes(text: string, parsed: readonly ParsedQuote[], options: VerifyOptions): Verification {
  const find = quoteFinder(text)
  const quotes: VerifiedQuote[] = []
  const unverified: ParsedQuote[] = []
  for (const quote of parsed) {
    const spans = partsOf(quote.text, find).map(({ start, end, how }) => cutSpan(text, start, end, how, options))
    if (spans.length === 0) unverified.push(quote)
    for (const span of spans) {
      if (quotes.some((other) => other.start <= span.start && span.end <= other.end)) continue
      quotes.push({ ...span, ...scoreOf(span.text, options.question), ...(quote.label !== undefined && { label: quote.label }) })
    }
  }
  return { quotes, unverified }
}

type Find = (quote: string) => FoundQuote | undefined

function partsOf(quote: string, find: Find): FoundQuote[] {
  const whole = findPart(quote, find)
  if (whole !== undefined) return [whole]
  const parts = quote.split(/\s*(?:\[\s*(?:\.{3}|…)\s*\]|\.{3,}|…)\s*/).filter((part) => wordsOf(part).length >= FEWEST_WORDS)
  const found = parts.map((part) => findPart(part, find))
  return found.every((part) => part !== undefined) ? found : []
}

/** As given, or without the end mark that a model likes to set. */
function findPart(quote: string, find: Find): FoundQuote | undefined {
  if ((quote.match(/[\p{L}\p{N}]/gu) ?? []).length < FEWEST_SIGNS) return undefined
  return find(quote) ?? find(quote.replace(/[\s.,;:!?"'“”’]+$/, ''))
}

function cutSpan(text: string, start: number, end: number, how: RecordedQuote['how'], { maxTokens, count }: VerifyOptions): RecordedQuote {
  const words = cutWords(text.slice(start, end), maxTokens, count)
  const stop = words === '' ? end : start + words.length
  return { start, end: stop, text: text.slice(start, stop), how }
}

function scoreOf(text: string, question: string | undefined): { score?: number } {
  if (question === undefined) return {}
  const asked = new Set(wordsOf(question).filter((word) => word.length > 2))
  if (asked.size === 0) return { score: 0 }
  const held = new Set(wordsOf(text))
  return { score: [...asked].filter((word) => held.has(word)).length / asked.size }
}
