import { cutLong } from './cut-long.ts'
import type { Document, Span } from './document.ts'
import { hasBlankLine } from './paragraphs.ts'
import { sectionPaths } from './section-paths.ts'
import { sentences } from './sentences.ts'

/** A unit of retrieval and of quoting: about a sentence. `document.slice(start, end) === text`. */
export interface Passage extends Span {
  /** Place in the order of the document, from 0. */
  readonly index: number
  readonly text: string
  /** Titles of the sections that hold the start, outermost first. */
  readonly sections: readonly string[]
}

export interface PassageOptions {
  /** Most tokens a passage; 60 by default. */
  readonly maxTokens?: number
  /** The model's own counter. By default an estimate that seldom falls short for English: four letters, two digits or one mark a token, two tokens
   * a unit outside ASCII. */
  readonly count?: (text: string) => number
  /** A sentence of fewer UTF-16 code units is joined to its neighbour in the paragraph; 25 by default. */
  readonly minLength?: number
}

/**
 * Cuts a document into passages for retrieval: a sentence each; a very short one ("Yes.") goes with the next of its paragraph, or with the one
 * before at the paragraph's end; a long one is cut at clauses, else white space. They come in order and hold all of the text but white space.
 *
 * @throws RangeError when `maxTokens` is not a whole number above 0, or a single character has more
 */
export function passages(document: Document, options: PassageOptions = {}): Passage[] {
  const { maxTokens = 60, count = estimateTokens, minLength = 25 } = options
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new RangeError(`Cannot cut passages as maxTokens is not a whole number of 1 or more: ${maxTokens}`)
  }
  const { text } = document
  const pathAt = sectionPaths(document.sections)
  const fits = (span: Span): boolean => count(text.slice(span.start, span.end)) <= maxTokens
  const list: Passage[] = []
  for (const joined of joinShort(text, minLength, fits)) {
    for (const { start, end } of fits(joined) ? [joined] : cutLong(text, joined, { maxTokens, count })) {
      list.push({ index: list.length, start, end, text: text.slice(start, end), sections: pathAt(start) })
    }
  }
  return list
}

/** Sentences, short ones joined to a neighbour where both together fit. */
function* joinShort(text: string, minLength: number, fits: (span: Span) => boolean): Generator<Span> {
  const isShort = ({ start, end }: Span): boolean => end - start < minLength
  let open: Span | undefined
  for (const sentence of sentences(text)) {
    if (!open) {
      open = sentence
      continue
    }
    const both: Span = { start: open.start, end: sentence.end }
    const sameParagraph = !hasBlankLine(text, open.end, sentence.start)
    // A short sentence at the end of its paragraph has nothing to follow; whether it is the end is not known yet, so a short one may go back.
    const next = sameParagraph && (isShort(open) || (isShort(sentence) && endsParagraph(text, sentence.end)))
    if (next && fits(both)) {
      open = both
      continue
    }
    yield open
    open = sentence
  }
  if (open) yield open
}

/** Whether nothing but white space stands between an offset and a blank line or the end of the text. */
function endsParagraph(text: string, offset: number): boolean {
  let newlines = 0
  for (let at = offset; at < text.length; at++) {
    const unit = text[at]!
    if (unit === '\n') newlines++
    if (newlines === 2) return true
    if (unit.trim() !== '') return false
  }
  return true
}

/** Walks the units, as this runs on every sentence of a book. */
function estimateTokens(text: string): number {
  let tokens = 0
  let letters = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const isLetter = (unit | 32) >= 97 && (unit | 32) <= 122
    const isDigit = unit >= 48 && unit <= 57
    if (isLetter && letters++ % 4 === 0) tokens++
    if (isDigit && digits++ % 2 === 0) tokens++
    if (!isLetter) letters = 0
    if (!isDigit) digits = 0
    if (!isLetter && !isDigit && unit > 32) tokens += unit < 128 ? 1 : 2
  }
  return tokens
}
