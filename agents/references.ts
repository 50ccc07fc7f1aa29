/** References in notes: [q1], [q1, q2], (q3). */
import type { CommunicationUnit } from './communication-unit.ts'

const REFERENCE = /[ \t]*[[(]\s*q\s?\d+(?:\s*[,;&]\s*q?\s?\d+|\s+and\s+q?\s?\d+)*\s*[\])]/gi

/** Ids that a text refers to, each once, in order of their first appearance. */
export function referencesOf(text: string): string[] {
  return [...new Set([...text.matchAll(REFERENCE)].flatMap((match) => idsIn(match[0])))]
}

/** Rewrites each reference; those that `map` knows nothing of are taken out, with the blank before them. */
export function mapReferences(text: string, map: (id: string) => string | undefined): string {
  return text.replace(REFERENCE, (group) => {
    const ids = [
      ...new Set(
        idsIn(group)
          .map(map)
          .filter((id) => id !== undefined),
      ),
    ]
    const blank = /^[ \t]/.test(group) ? ' ' : ''
    return ids.length === 0 ? '' : `${blank}[${ids.join(', ')}]`
  })
}

/** The text without its references. */
export function withoutReferences(text: string): string {
  return mapReferences(text, () => undefined)
}

/** The number that the next new quotation of a unit takes: one above the highest. */
export function nextQuoteNumber(unit: CommunicationUnit): number {
  return unit.quotes.reduce((highest, quote) => Math.max(highest, Number(quote.id.slice(1)) || 0), 0) + 1
}

function idsIn(group: string): string[] {
  return [...group.matchAll(/\d+/g)].map((match) => `q${Number(match[0])}`)
}
