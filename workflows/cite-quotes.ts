import type { Quote } from '../agents/index.ts'
import { type Document, findQuote } from '../chunkers/index.ts'
import type { Citation } from './answer.ts'

/**
 * Turns quotations into citations. Each is looked up in its document: at its span, else anywhere; one that is not literally there is given
 * to `reject` and never becomes a citation.
 */
export function citeQuotes(quotes: readonly Quote[], documents: readonly Document[], reject: (quote: Quote) => void): Citation[] {
  const byId = new Map(documents.map((document) => [document.id, document]))
  const citations = new Map<string, Citation>()
  for (const quote of quotes) {
    const document = byId.get(quote.documentId)
    const found = document && locateQuote(quote, document)
    if (!document || !found) reject(quote)
    else citations.set(`${document.id}\n${found.start}\n${found.end}`, cite(quote, document, found))
  }
  return [...citations.values()]
}

type Found = Pick<Citation, 'start' | 'end' | 'how'>

function locateQuote(quote: Quote, document: Document): Found | undefined {
  const { start, end, text, how } = quote
  if (start >= 0 && start < end && end <= document.text.length && document.text.slice(start, end) === text) return { start, end, how }
  return findQuote(document, text)
}

function cite(quote: Quote, document: Document, found: Found): Citation {
  const { sections, line } = document.locate(found.start)
  return {
    documentId: document.id,
    document: document.name,
    chunkIndex: quote.chunkIndex,
    ...found,
    quote: document.slice(found.start, found.end),
    sections,
    line,
    ...(quote.score === undefined ? {} : { score: quote.score }),
  }
}
