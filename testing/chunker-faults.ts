import { createHash } from 'node:crypto'
import { type AsyncChunker, type Chunk, type Chunker, createDocument, type Document, withContext } from '../chunkers/index.ts'

/** How a chunker is checked. */
export interface ChunkerCheck {
  readonly maxTokens: number
  readonly count: (text: string) => number
  /** A grapheme with more than this share of `maxTokens` may be cut; 1 by default, less for chunkers that keep room for a context. */
  readonly graphemeShare?: number
}

/**
 * What a chunker breaks of its promises on one text, in words; empty when it keeps them all. For property tests with any generator:
 * `fc.property(fc.string({ unit: 'binary' }), (text) => expect(chunkerFaults(chunker, text, limits)).toEqual([]))`.
 */
export function chunkerFaults(chunker: Chunker, text: string | Document, check: ChunkerCheck): string[] {
  const document = documentOf(text)
  const first = [...chunker.chunk(document, check)]
  return faultsOf(document, first, [...chunker.chunk(document, check)], check)
}

/** `chunkerFaults` for chunkers of both kinds. */
export async function asyncChunkerFaults(chunker: Chunker | AsyncChunker, text: string | Document, check: ChunkerCheck): Promise<string[]> {
  const document = documentOf(text)
  const first = await collect(chunker.chunk(document, check))
  return faultsOf(document, first, await collect(chunker.chunk(document, check)), check)
}

/** All chunks, of either kind of chunker. */
export async function collect(chunks: Iterable<Chunk> | AsyncIterable<Chunk>): Promise<Chunk[]> {
  const list: Chunk[] = []
  for await (const chunk of chunks) list.push(chunk)
  return list
}

function documentOf(text: string | Document): Document {
  return typeof text === 'string' ? createDocument({ text, name: 'suite' }) : text
}

function faultsOf(document: Document, chunks: readonly Chunk[], again: readonly Chunk[], check: ChunkerCheck): string[] {
  const faults: string[] = []
  const split = splitGraphemes(document.text, check)
  let previous = 0
  chunks.forEach((chunk, index) => {
    const found = [
      ...identityFaults(document, chunk, index),
      ...placeFaults(document.text, chunk, previous),
      ...[...new Set([chunk.start, chunk.end])].flatMap(split),
      ...sizeFaults(chunk, check),
      ...extraFaults(document, chunk, chunks[0]),
    ]
    for (const what of found) faults.push(`chunk ${index} [${chunk.start}, ${chunk.end}) ${what}`)
    previous = chunk.end
  })
  if (document.text.slice(previous).trim() !== '') faults.push(`the text from ${previous} on is in no chunk`)
  if (fingerprint(again) !== fingerprint(chunks)) faults.push('the same text gives other chunks the second time')
  return faults
}

function identityFaults(document: Document, chunk: Chunk, index: number): string[] {
  const { sections } = document.locate(Math.max(0, Math.min(chunk.start, document.text.length)))
  return [
    ...(chunk.index === index ? [] : [`has index ${chunk.index}`]),
    ...(chunk.documentId === document.id ? [] : [`has document id ${chunk.documentId}`]),
    ...(chunk.hash === createHash('sha256').update(chunk.text).digest('hex') ? [] : [`has another hash than its text: ${chunk.hash}`]),
    ...(same(chunk.sections, sections) ? [] : [`names the sections ${JSON.stringify(chunk.sections)}, not ${JSON.stringify(sections)}`]),
  ]
}

function placeFaults(text: string, chunk: Chunk, previous: number): string[] {
  return [
    ...(chunk.start < previous ? [`starts before ${previous}`] : []),
    ...(text.slice(previous, chunk.start).trim() === '' ? [] : [`leaves out text in front of it, from ${previous}`]),
    ...(chunk.text.trim() === '' ? ['is empty'] : []),
    ...(chunk.text === text.slice(chunk.start, chunk.end) ? [] : ['has another text than its span']),
  ]
}

/** Tells of an offset whether a pair or a grapheme that fits the limit is cut there. */
function splitGraphemes(text: string, { maxTokens, count, graphemeShare = 1 }: ChunkerCheck): (offset: number) => string[] {
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)
  return (offset) => {
    if (offset <= 0 || offset >= text.length) return []
    if (/^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(offset - 1, offset + 1))) return [`cuts a surrogate pair at ${offset}`]
    const { index, segment } = graphemes.containing(offset)!
    return index === offset || count(segment) > graphemeShare * maxTokens
      ? []
      : [`cuts the grapheme ${JSON.stringify(segment)} at ${offset}`]
  }
}

function sizeFaults(chunk: Chunk, { maxTokens, count }: ChunkerCheck): string[] {
  const tokens = count(chunk.text)
  const whole = count(withContext(chunk))
  return [
    ...(chunk.tokens === tokens ? [] : [`says ${chunk.tokens} tokens, its text has ${tokens}`]),
    ...(tokens > maxTokens ? [`has ${tokens} tokens, more than ${maxTokens}`] : []),
    ...(chunk.context && whole > maxTokens ? [`has ${whole} tokens with its context, more than ${maxTokens}`] : []),
  ]
}

function extraFaults(document: Document, { start, end, context, parent, vector }: Chunk, first: Chunk | undefined): string[] {
  const holds = !parent || (parent.start <= start && parent.end >= end && parent.start >= 0 && parent.end <= document.text.length)
  return [
    ...(context === undefined || (context.trim() !== '' && !/\p{Surrogate}/u.test(context))
      ? []
      : ['has a context that is empty or cuts a surrogate pair']),
    ...(holds ? [] : [`lies outside its parent [${parent.start}, ${parent.end})`]),
    ...(vector?.length === first?.vector?.length ? [] : ['has a vector of another length than the first']),
    ...(vector === undefined || vector.every(Number.isFinite) ? [] : ['has a vector with what is no number']),
  ]
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at])
}

function fingerprint(chunks: readonly Chunk[]): string {
  return JSON.stringify(chunks.map((chunk) => ({ ...chunk, vector: chunk.vector && [...chunk.vector] })))
}
