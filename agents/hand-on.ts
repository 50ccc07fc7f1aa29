import type { CommunicationUnit, Quote } from './communication-unit.ts'
import { fitUnit, type FitOptions } from './fit-unit.ts'
import { mapReferences, nextQuoteNumber } from './references.ts'
import type { VerifiedQuote } from './verify-quotes.ts'
import type { RecordedQuote } from './worker.ts'

export interface HandOnInput {
  /** The unit as it came. */
  readonly unit: CommunicationUnit
  readonly notes: string
  readonly quotes: readonly VerifiedQuote[]
  /** What other ids in the notes stand for. */
  readonly known: ReadonlyMap<string, string>
}

/** What is handed on, in the form in which it is recorded. */
export interface HandedOn {
  readonly notes: string
  readonly quotes: readonly RecordedQuote[]
  /** Ids of the incoming quotations that had to leave. */
  readonly dropped: readonly string[]
  /** Text of every quotation that had to leave, new ones included, the least valuable first. */
  readonly left: readonly string[]
  readonly cut: boolean
}

/** Puts the new unit together under its budget. References that lead nowhere are taken out of the notes. */
export function handOn({ unit, notes, quotes, known }: HandOnInput, options: FitOptions): HandedOn {
  const first = nextQuoteNumber(unit)
  const ids = new Map<string, string>(known)
  for (const quote of unit.quotes) ids.set(quote.id, quote.id)
  quotes.forEach((quote, at) => quote.label !== undefined && !ids.has(quote.label) && ids.set(quote.label, `q${first + at}`))
  const fresh = quotes.map((quote, at) => provisional(quote, `q${first + at}`))
  const whole = { notes: mapReferences(notes, (id) => ids.get(id)), quotes: [...unit.quotes, ...fresh] }
  const fitted = fitUnit(whole, options)
  const kept = fresh.filter((quote) => fitted.unit.quotes.includes(quote))
  const renumbered = new Map(kept.map((quote, at) => [quote.id, `q${first + at}`]))
  return {
    notes: mapReferences(fitted.unit.notes, (id) => renumbered.get(id) ?? id),
    quotes: kept.map(recordedQuote),
    dropped: fitted.dropped.filter((quote) => unit.quotes.includes(quote)).map((quote) => quote.id),
    left: fitted.dropped.map((quote) => quote.text),
    cut: fitted.cut,
  }
}

/** A quotation that has no place in a document yet, only its words and value count here. */
function provisional({ start, end, text, how, score }: VerifiedQuote, id: string): Quote {
  return { id, documentId: '', chunkIndex: 0, start, end, text, how, ...(score !== undefined && { score }) }
}

export function recordedQuote({ start, end, text, how, score }: RecordedQuote): RecordedQuote {
  return { start, end, text, how, ...(score !== undefined && { score }) }
}
