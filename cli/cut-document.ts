import type { Chunk, Document } from '../chunkers/index.ts'
import { count, number } from './print-answer.ts'
import { printable } from './terminal.ts'

/** A document and what it was cut into. */
export interface CutDocument {
  readonly document: Document
  readonly chunks: readonly Chunk[]
}

/** Text of a document as a table or a page may show it: control characters, and those that turn the writing around, show as U+FFFD. */
export function showable(text: string): string {
  return printable(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The same in one line. */
export function showableLine(text: string): string {
  return showable(text).replace(/\s+/g, ' ').trim()
}

/** Where a chunk begins, in a reader's terms. */
export function placeOfChunk(document: Document, start: number): string {
  const { place, line } = document.locate(start)
  return place === undefined ? `line ${number(line)}` : showableLine(place)
}

/** How many chunks there are, and of how many tokens. */
export function summaryOf(chunks: readonly Chunk[]): string {
  if (chunks.length === 0) return 'no chunks, as there is nothing but white space'
  const tokens = chunks.map((chunk) => chunk.tokens).sort((a, b) => a - b)
  const median = tokens[tokens.length >> 1]!
  return `${count(chunks.length, 'chunk')}, ${number(tokens[0]!)} to ${number(tokens.at(-1)!)} tokens, median ${number(median)}`
}
