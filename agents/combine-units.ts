import type { CommunicationUnit } from './communication-unit.ts'
import { mapReferences } from './references.ts'

/** One unit that holds all of several: the notes one under another, the quotations numbered anew from q1 in their order. Nothing is left out. */
export function combineUnits(units: readonly CommunicationUnit[]): CommunicationUnit {
  let number = 0
  const renamed = units.map((unit) => {
    const ids = new Map(unit.quotes.map((quote) => [quote.id, `q${++number}`]))
    const quotes = unit.quotes.map((quote) => ({ ...quote, id: ids.get(quote.id) ?? quote.id }))
    return { notes: mapReferences(unit.notes, (id) => ids.get(id)), quotes }
  })
  const notes = renamed.map((unit) => unit.notes).filter((part) => part !== '')
  return { notes: notes.join('\n'), quotes: renamed.flatMap((unit) => unit.quotes) }
}
