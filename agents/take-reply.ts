import type { CommunicationUnit } from './communication-unit.ts'
import { type GuardFlag, guardNotes, withoutRefusals, wordsOf } from './guards.ts'
import { type ParsedQuote, parseReply } from './parse-reply.ts'
import { nextQuoteNumber } from './references.ts'
import { type VerifiedQuote, type VerifyOptions, verifyQuotes } from './verify-quotes.ts'

export interface TakeOptions extends VerifyOptions {
  /** The chunk's text: quotations must be in it. */
  readonly text: string
  /** What the worker was handed. */
  readonly unit: CommunicationUnit
  readonly instruction: string
  /** Whether the unit was so near its budget that the notes had to become shorter. */
  readonly mayShrink: boolean
}

/** What a reply is worth. */
export interface TakenReply {
  /** New notes; undefined where the reply had none to take over. */
  readonly notes?: string
  /** The guard that fired. After `refusal` nobody asks again: it says that nothing is here. */
  readonly flag?: GuardFlag
  /** Quotations found in the chunk and not in the unit yet. */
  readonly quotes: readonly VerifiedQuote[]
  readonly unverified: readonly ParsedQuote[]
  /** What the ids of the reply stand for, where they name a quotation that the unit already has. */
  readonly known: ReadonlyMap<string, string>
}

/** Parses a worker's reply, verifies its quotations and guards its notes. */
export function takeReply(reply: string, options: TakeOptions): TakenReply {
  const parsed = parseReply(reply)
  const known = new Map<string, string>()
  const fresh = withLabels(parsed.quotes, options.unit).filter((quote) => {
    const same = options.unit.quotes.find(({ text }) => sameWords(text, quote.text))
    if (same !== undefined && quote.label !== undefined) known.set(quote.label, same.id)
    return same === undefined
  })
  const { quotes, unverified } = verifyQuotes(options.text, fresh, options)
  return { ...takeNotes(parsed.notes, parsed.nothingNew, quotes.length, options), quotes, unverified, known }
}

function takeNotes(written: string, nothingNew: boolean, quotes: number, options: TakeOptions): Pick<TakenReply, 'notes' | 'flag'> {
  if (written === '' && (nothingNew || quotes > 0)) return {}
  if (nothingNew && quotes === 0) return {}
  const notes = withoutRefusals(written)
  if (notes === '' && written !== '') return { flag: 'refusal' }
  const { instruction, mayShrink, unit } = options
  const flag = guardNotes(notes, { previous: unit.notes, instruction, mayShrink })
  return flag === undefined ? { notes } : { flag }
}

/**
 * Models often leave ids out or begin again at q1: ids of the unit keep their meaning, and a quotation without an id of its own gets the one that
 * it would have by its place.
 */
function withLabels(quotes: readonly ParsedQuote[], unit: CommunicationUnit): ParsedQuote[] {
  const next = nextQuoteNumber(unit)
  const taken = new Set(unit.quotes.map((quote) => quote.id))
  const own = new Set(quotes.map((quote) => quote.label).filter((label) => label !== undefined && !taken.has(label)))
  return quotes.map(({ label, text }, at) => {
    if (label !== undefined && own.has(label)) return { label, text }
    const byPlace = `q${next + at}`
    return own.has(byPlace) || taken.has(byPlace) ? { text } : { label: byPlace, text }
  })
}

function sameWords(a: string, b: string): boolean {
  const words = wordsOf(b).join(' ')
  return words !== '' && ` ${wordsOf(a).join(' ')} `.includes(` ${words} `)
}
