import type { Quote } from '../agents/index.ts'
import { type Document, findQuote } from '../chunkers/index.ts'
import type { Citation } from './answer.ts'

/**
 * Turns quotations into citations. Each is looked up in its document: at its span, else anywhere; one that is not literally there is given
 * to `reject` and never becomes a citation.
 */
export function citeQuotes(quotes: readonly Quote[], documents: readonly Document[], reject: (quote: Quote) => void): Citation[] {
  const byId = new Map(documents.map((document) => [document.id, document]))
  const citations: Citation[] = []
  for (const quote of quotes) {
    const document = byId.get(quote.documentId)
    const found = document && locateQuote(quote, document)
    if (!document || !found) reject(quote)
    else if (quote.continues === true) extendLast(citations, cite(quote, document, found), document)
    else if (!citations.some((known) => holds(known, document, found))) citations.push(cite(quote, document, found))
  }
  return citations
}

/** A quotation that goes on from the one before, with nothing but white space between them, is shown with it. */
function extendLast(citations: Citation[], citation: Citation, document: Document): void {
  const last = citations.at(-1)
  const touches = last?.documentId === document.id && last.end <= citation.start && document.slice(last.end, citation.start).trim() === ''
  if (last === undefined || !touches) citations.push(citation)
  else citations[citations.length - 1] = { ...last, end: citation.end, quote: document.slice(last.start, citation.end) }
}

function holds(known: Citation, document: Document, { start, end }: Found): boolean {
  return known.documentId === document.id && known.start <= start && end <= known.end
}

type Found = Pick<Citation, 'start' | 'end' | 'how'>

function locateQuote(quote: Quote, document: Document): Found | undefined {
  const { start, end, text, how } = quote
  if (start >= 0 && start < end && end <= document.text.length && document.text.slice(start, end) === text) return { start, end, how }
  return findQuote(document, text)
}

function cite(quote: Quote, document: Document, found: Found): Citation {
  const { sections, line, page, place } = document.locate(found.start)
  return {
    documentId: document.id,
    document: document.name,
    chunkIndex: quote.chunkIndex,
    ...found,
    quote: document.slice(found.start, found.end),
    sections,
    line,
    ...(page === undefined ? {} : { page }),
    ...(place === undefined ? {} : { place }),
    ...(quote.score === undefined ? {} : { score: quote.score }),
  }
}
