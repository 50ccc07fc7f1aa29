import { createDocument } from './create-document.ts'
import type { Document, Span } from './document.ts'
import { lastAtOrBefore } from './section-paths.ts'

/** Makes a function from a span of a document to that span as a document, with what lies in it of sections, pages and marks, counted from its start. */
export function partsOf(document: Document): (span: Span) => Document {
  const sections = overlapping(document.sections)
  const pages = overlapping(document.pages)
  // Finding the marks of a Markdown text takes long, and few ask for them.
  let marks: ReturnType<typeof overlapping<Document['marks'][number]>> | undefined
  return (span) =>
    createDocument({
      text: document.slice(span.start, span.end),
      name: document.name,
      title: document.title,
      format: document.format,
      sections: sections(span),
      pages: pages(span),
      marks: () => (marks ??= overlapping(document.marks))(span),
    })
}

/** Of spans in order of start, gives those that overlap one, cut to it and counted from its start. */
function overlapping<T extends Span>(spans: readonly T[]): (span: Span) => T[] {
  const starts = spans.map(({ start }) => start)
  // How far the spans up to each reach; ascending, so that the first that reaches into a span is found by halving.
  let furthest = 0
  const reach = spans.map(({ end }) => (furthest = Math.max(furthest, end)))
  return ({ start, end }) =>
    spans
      .slice(lastAtOrBefore(reach, start) + 1, lastAtOrBefore(starts, end - 1) + 1)
      .filter((span) => span.end > start)
      .map((span) => cutTo(span, start, end))
}

function cutTo<T extends Span>(span: T, start: number, end: number): T {
  return { ...span, start: Math.max(start, span.start) - start, end: Math.min(end, span.end) - start }
}
