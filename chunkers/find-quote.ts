import type { Document, Span } from './document.ts'
import { cutsSurrogatePair, loneSurrogate } from './surrogates.ts'

/** Where a quotation stands. `document.slice(start, end)` is what may be shown. */
export interface FoundQuote extends Span {
  /** `exact`: letter for letter. `normalised`: but for white space, kinds of quotes and dashes, soft hyphens and the like. */
  readonly how: 'exact' | 'normalised'
}

export interface FindQuoteOptions {
  /** Where to look; the whole document by default. */
  readonly within?: Span
}

/** Occurrences looked at for one that does not begin or end inside a word. */
const MAX_TRIES = 64

/**
 * Finds a quotation in a document: letter for letter, else with white space runs, typographic quotes and dashes, ellipses and invisible
 * characters made equal; case is never changed. Of several occurrences the first that does not begin or end inside a word is taken, else
 * the first. Takes time in proportion to the text.
 *
 * @throws RangeError when `within` lies outside the document
 */
export function findQuote(document: Document, quote: string, options: FindQuoteOptions = {}): FoundQuote | undefined {
  const { start: from, end: to } = options.within ?? { start: 0, end: document.text.length }
  const scope = document.slice(from, to)
  const wanted = quote.trim()
  if (wanted === '' || loneSurrogate(wanted) >= 0) return undefined
  const exact = occurrence(scope, wanted)
  if (exact >= 0) return { start: from + exact, end: from + exact + wanted.length, how: 'exact' }
  const plainQuote = normalise(wanted).trim()
  if (plainQuote === '') return undefined
  const at = occurrence(normalise(scope), plainQuote)
  if (at < 0) return undefined
  const { start, end } = originalSpan(scope, at, at + plainQuote.length)
  return { start: from + start, end: from + end, how: 'normalised' }
}

/** First occurrence that stands at word borders, else the first of all; -1 without any. */
function occurrence(text: string, wanted: string): number {
  const first = text.indexOf(wanted)
  let at = first
  for (let tries = 0; at >= 0 && tries < MAX_TRIES; tries++) {
    if (!insideWord(text, at) && !insideWord(text, at + wanted.length)) return at
    at = text.indexOf(wanted, at + 1)
  }
  return first
}

function insideWord(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false
  return cutsSurrogatePair(text, at) || /^[\p{L}\p{N}]{2}$/u.test(text.slice(at - 1, at + 1))
}

/** A gap is a run of white space, dashes and invisible characters; one class, so that the search never goes back. */
const SPACES = '\\s'
const DASHES = '\\-\\u2010-\\u2015\\u2212\\uFE58\\uFE63\\uFF0D'
const INVISIBLE = '\\u00AD\\u200B-\\u200D\\u2060'
const GAP = `${SPACES}${DASHES}${INVISIBLE}`
const SINGLE = '\u2018\u2019\u201A\u201B\u2032\u02BC`\u00B4'
const DOUBLE = '\u201C\u201D\u201E\u201F\u2033\u00AB\u00BB'

/** All that is written in several ways. A lone blank or hyphen is its own normal form, and is passed over for speed. */
const VARIANTS = new RegExp(`[${GAP}]{2,}|(?![ -])[${GAP}]|[${SINGLE}${DOUBLE}\u2026]`, 'g')
const HAS_DASH = new RegExp(`[${DASHES}]`)

function normalForm(variant: string): string {
  if (SINGLE.includes(variant)) return "'"
  if (DOUBLE.includes(variant)) return '"'
  if (variant === '\u2026') return '...'
  if (HAS_DASH.test(variant)) return '-'
  return /\s/.test(variant) ? ' ' : ''
}

function normalise(text: string): string {
  return text.replace(VARIANTS, normalForm)
}

/** The span of a text whose normal form has the span [start, end): the text is walked once, no table of offsets is kept. */
function originalSpan(text: string, start: number, end: number): Span {
  let first = -1
  // How far the text and its normal form have been walked.
  let walked = 0
  let normal = 0
  for (const match of text.matchAll(VARIANTS)) {
    const plain = match.index - walked
    if (first < 0 && start < normal + plain) first = walked + (start - normal)
    if (end <= normal + plain) return { start: first, end: walked + (end - normal) }
    walked = match.index + match[0].length
    normal += plain + normalForm(match[0]).length
    if (first < 0 && start < normal) first = match.index
    if (end <= normal) return { start: first, end: walked }
  }
  if (first < 0) first = walked + (start - normal)
  return { start: first, end: walked + (end - normal) }
}
