import type { Chunk, ChunkOptions } from './chunk.ts'
import { checkFill, type ContentDefinedOptions, cutByContent, REACH } from './content-defined.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document, Section, Span } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { hasBlankLine, trimSpan } from './paragraphs.ts'

/** A document with all of its chunks, as `contentDefined` cut it. */
export interface ChunkedDocument {
  readonly document: Document
  readonly chunks: readonly Chunk[]
}

/** Where two texts agree: before `start` of both, and from `end` on, which in the old text stands `shift` units further in front. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly shift: number
}

/**
 * The chunks of an edited document, as `contentDefined` with the same options cuts it. Only what lies around the edit is parted into sentences and
 * counted: what comes before it and after the first border that both versions share is taken over.
 *
 * @param previous the document before the edit, chunked with the same options
 * @throws RangeError as `contentDefined` does
 */
export function rechunk(previous: ChunkedDocument, document: Document, options: ChunkOptions & ContentDefinedOptions): Chunk[] {
  checkChunkOptions(options)
  return [...toChunks(document, spansOf(previous, document, { ...options, fill: checkFill(options) }), options)]
}

function* spansOf(
  previous: ChunkedDocument,
  document: Document,
  options: ChunkOptions & Required<ContentDefinedOptions>,
): Generator<CountedSpan> {
  const { chunks } = previous
  const edit = findEdit(previous.document, document)
  const kept = keptBefore(previous, edit, options)
  yield* chunks.slice(0, kept)
  const from = kept === 0 ? 0 : chunks[kept]!.start
  const places = new Map(chunks.map(({ start }, at) => [start + edit.shift, at]))
  for (const span of cutByContent(document, from, options)) {
    const at = sameBorder(document.text, span, edit) ? places.get(span.start) : undefined
    if (at !== undefined) {
      for (const { start, end, tokens } of chunks.slice(at)) yield { start: start + edit.shift, end: end + edit.shift, tokens }
      return
    }
    yield span
  }
}

/**
 * How many chunks in front of an edit stay. What decides for a chunk reaches no further than twice the greatest size of a chunk and what the hash of
 * a border looks at, and all of a paragraph decides for its sentences; so much text has to stand behind a chunk before the paragraph of the edit, and
 * the next one has to open a paragraph.
 */
function keptBefore({ document: { text }, chunks }: ChunkedDocument, edit: Edit, { maxTokens }: ChunkOptions): number {
  const opensParagraph = (at: number): boolean => at === 0 || hasBlankLine(text, chunks[at - 1]!.end, chunks[at]!.start)
  let kept = chunks.findLastIndex(({ start }) => start <= edit.start - REACH)
  while (kept > 0 && !opensParagraph(kept)) kept--
  for (let tokens = 0; kept > 0 && tokens < 2 * maxTokens;) tokens += chunks[--kept]!.tokens
  while (kept > 0 && !opensParagraph(kept)) kept--
  return Math.max(0, kept)
}

/** Whether a chunk of the new text opens a paragraph so far past the edit that no hash looks back at it: from there on both versions are cut alike. */
function sameBorder(text: string, { start }: Span, edit: Edit): boolean {
  if (start < edit.end + REACH) return false
  const { end } = trimSpan(text, edit.end, start)
  return end > edit.end && hasBlankLine(text, end, start)
}

/** Where two versions differ, in their text or in where their sections start. */
function findEdit(old: Document, now: Document): Edit {
  const shift = now.text.length - old.text.length
  const shorter = Math.min(old.text.length, now.text.length)
  let start = 0
  while (start < shorter && old.text.charCodeAt(start) === now.text.charCodeAt(start)) start++
  let end = now.text.length
  while (end > start && end - shift > start && old.text.charCodeAt(end - shift - 1) === now.text.charCodeAt(end - 1)) end--
  const same = (one: Section | undefined, other: Section | undefined, moved: number): boolean =>
    one !== undefined && other !== undefined && one.start + moved === other.start && one.level === other.level
  let first = 0
  while (same(old.sections[first], now.sections[first], 0)) first++
  let last = -1
  while (same(old.sections.at(last), now.sections.at(last), shift)) last--
  return {
    start: Math.min(start, old.sections[first]?.start ?? start, now.sections[first]?.start ?? start),
    end: Math.max(end, (old.sections.at(last)?.start ?? -Infinity) + shift + 1, (now.sections.at(last)?.start ?? -Infinity) + 1),
    shift,
  }
}
