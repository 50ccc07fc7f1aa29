import type { Span } from '../chunkers/index.ts'

/** Where a quotation stands in a text, and how it was found. */
export interface LocatedQuote extends Span {
  readonly how: 'exact' | 'normalised'
}

/** Signs that printers and models exchange for one another: all quotation marks are one, as models set single ones inside their own. */
const SAME_SIGN: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201a': "'",
  '\u201b': "'",
  '`': "'",
  '"': "'",
  '\u201c': "'",
  '\u201d': "'",
  '\u201e': "'",
  '\u201f': "'",
  '\u00ab': "'",
  '\u00bb': "'",
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2015': '-',
  '\u2212': '-',
  '\u2026': '...',
  '\u00ad': '',
  '\u200b': '',
  '\ufeff': '',
}

/**
 * Finds a quotation in a text: as given, then with white space, typographic signs, runs of hyphens and case made equal. The span is always of
 * the text, so what is shown are its words and not the model's. The first occurrence wins.
 */
export function locateQuote(text: string, quote: string, source: NormalisedText = normaliseText(text)): LocatedQuote | undefined {
  const exact = quote.length === 0 ? -1 : text.indexOf(quote)
  if (exact >= 0) return { start: exact, end: exact + quote.length, how: 'exact' }
  const wanted = normaliseText(quote).text.trim()
  const at = wanted.length === 0 ? -1 : source.text.indexOf(wanted)
  if (at < 0) return undefined
  return { start: source.starts[at] ?? 0, end: source.ends[at + wanted.length - 1] ?? 0, how: 'normalised' }
}

/** A text with equal signs made equal, and the source span of each of its characters. */
export interface NormalisedText {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

export function normaliseText(source: string): NormalisedText {
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  for (let at = 0; at < source.length; at++) {
    const sign = source[at] ?? ''
    for (const letter of equalSign(sign)) {
      if ((letter === ' ' || letter === '-') && text.endsWith(letter)) {
        ends[ends.length - 1] = at + 1
        continue
      }
      text += letter
      starts.push(at)
      ends.push(at + 1)
    }
  }
  return { text, starts, ends }
}

/** One code unit of the source gives none or more code units, so that a surrogate pair stays a pair. */
function equalSign(sign: string): string[] {
  if (/\s/.test(sign)) return [' ']
  return (SAME_SIGN[sign] ?? sign.toLowerCase()).split('')
}
