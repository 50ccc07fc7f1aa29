import type { Document, Span } from '../chunkers/index.ts'

/** Documents as one text, with where each stands in it. */
export interface JoinedText {
  readonly text: string
  readonly parts: readonly (Span & { readonly document: Document })[]
}

/** A blank line parts documents, as it does paragraphs. */
const GAP = '\n\n'

export function joinDocuments(documents: readonly Document[]): JoinedText {
  let at = 0
  const parts = documents.map((document) => {
    const start = at
    at += document.text.length + GAP.length
    return { document, start, end: start + document.text.length }
  })
  return { text: documents.map(({ text }) => text).join(GAP), parts }
}

/** The parts of documents that a span of the joined text covers, each with its span in its document. */
export function documentSpans({ parts }: JoinedText, { start, end }: Span): (Span & { readonly document: Document })[] {
  return parts
    .filter((part) => part.start < end && start < part.end)
    .map((part) => ({
      document: part.document,
      start: Math.max(start, part.start) - part.start,
      end: Math.min(end, part.end) - part.start,
    }))
}
