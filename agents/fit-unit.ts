import type { CommunicationUnit, Quote } from './communication-unit.ts'
import { sentencesOf } from './guards.ts'
import { mapReferences, referencesOf } from './references.ts'

/** A unit as the next agent reads it: the notes, then a line a quotation. Empty for the empty unit. */
export function renderUnit(unit: CommunicationUnit): string {
  return [unit.notes, ...unit.quotes.map(renderQuote)].filter((part) => part !== '').join('\n')
}

function renderQuote({ id, text }: Quote): string {
  return `[${id}] "${text.replace(/\s+/g, ' ').trim()}"`
}

export interface FitOptions {
  /** Most tokens of the rendered unit. */
  readonly max: number
  readonly count: (text: string) => number
}

export interface FittedUnit {
  readonly unit: CommunicationUnit
  /** Quotations that had to leave, the least valuable first. */
  readonly dropped: readonly Quote[]
  /** Whether sentences had to leave the notes. */
  readonly cut: boolean
}

/**
 * Brings a unit under its budget, the same way every time. Notes give way first, down to half of the budget; then quotations leave: those that
 * the notes do not refer to before those they do, the lower score first, and of equals the later one.
 */
export function fitUnit(unit: CommunicationUnit, { max, count }: FitOptions): FittedUnit {
  if (count(renderUnit(unit)) <= max) return { unit, dropped: [], cut: false }
  const quoted = count(renderUnit({ notes: '', quotes: unit.quotes }))
  const cut = cutNotes(unit.notes, Math.max(Math.floor(max / 2), max - quoted), count)
  const { kept, dropped } = dropQuotes({ ...unit, notes: cut }, max, count)
  const ids = new Set(kept.map((quote) => quote.id))
  const notes = mapReferences(cut, (id) => (ids.has(id) ? id : undefined))
  return { unit: { notes, quotes: kept }, dropped, cut: cut !== unit.notes }
}

function dropQuotes(
  unit: CommunicationUnit,
  max: number,
  count: FitOptions['count'],
): { kept: readonly Quote[]; dropped: readonly Quote[] } {
  const worstFirst = byValue(unit)
  const dropped: Quote[] = []
  let kept = unit.quotes
  while (kept.length > 0 && count(renderUnit({ notes: unit.notes, quotes: kept })) > max) {
    const worst = worstFirst[dropped.length]
    if (worst === undefined) break
    dropped.push(worst)
    kept = kept.filter((quote) => quote !== worst)
  }
  return { kept, dropped }
}

/** Quotations, the least valuable first. */
function byValue({ notes, quotes }: CommunicationUnit): readonly Quote[] {
  const cited = new Set(referencesOf(notes))
  return quotes
    .map((quote, place) => ({ quote, place }))
    .toSorted(
      (a, b) =>
        Number(cited.has(a.quote.id)) - Number(cited.has(b.quote.id)) || (a.quote.score ?? 0) - (b.quote.score ?? 0) || b.place - a.place,
    )
    .map(({ quote }) => quote)
}

/** Takes sentences out of notes, from the end, those without a reference first, until they fit. A single long sentence is cut between words. */
export function cutNotes(notes: string, max: number, count: (text: string) => number): string {
  if (count(notes) <= max) return notes
  let sentences = notes
    .split('\n')
    .flatMap((line) => sentencesOf(line).map((text, at, all) => ({ text, end: at === all.length - 1 ? '\n' : ' ' })))
  const joined = (): string =>
    sentences
      .map(({ text, end }) => text + end)
      .join('')
      .trim()
  while (sentences.length > 1 && count(joined()) > max) {
    const loose = sentences.findLastIndex(({ text }) => referencesOf(text).length === 0)
    const leaves = loose >= 0 ? loose : sentences.length - 1
    sentences = sentences.filter((_, at) => at !== leaves)
  }
  return cutWords(joined(), max, count)
}

/** The longest start of a text, ending between words, that has at most `max` tokens. */
export function cutWords(text: string, max: number, count: (text: string) => number): string {
  if (count(text) <= max) return text
  const ends = [...text.matchAll(/\S(?=\s|$)/g)].map((match) => match.index + 1)
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (count(text.slice(0, ends[middle - 1])) <= max) low = middle
    else high = middle - 1
  }
  return low === 0 ? '' : text.slice(0, ends[low - 1])
}
