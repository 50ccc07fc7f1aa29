/** How well retrieved spans cover the spans that answer a question: the metrics of chunking_evaluation, in shares from 0 to 1. */
import type { Span } from '../chunkers/index.ts'
import { joinSpans } from './chunking-data.ts'

export interface SpanScore {
  /** Share of the references that was retrieved. */
  readonly recall: number
  /** Share of what was retrieved that is of a reference; text that was retrieved twice counts twice. */
  readonly precision: number
  /** Intersection over union: of what was retrieved and what of the references was not. */
  readonly iou: number
}

/** Scores the spans of one question. */
export function scoreSpans(retrieved: readonly Span[], references: readonly Span[]): SpanScore {
  const wanted = lengthOf(references)
  const found = overlap(joinSpans(retrieved), references)
  const read = lengthOf(retrieved)
  return { recall: share(found, wanted), precision: share(found, read), iou: share(found, read + wanted - found) }
}

/** Precision with all chunks that touch a reference: the best that the cuts allow, whatever the search. */
export function precisionOmega(chunks: readonly Span[], references: readonly Span[]): number {
  const touching = chunks.filter(({ start, end }) => references.some((reference) => reference.start < end && start < reference.end))
  return scoreSpans(touching, references).precision
}

/** Length of what two lists of spans without overlap within themselves share. */
function overlap(one: readonly Span[], other: readonly Span[]): number {
  let sum = 0
  for (const a of one) for (const b of other) sum += Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start))
  return sum
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0)
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
