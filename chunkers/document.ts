/**
 * The immutable text that everything else points into. Offsets are UTF-16 code units, [start, end), never inside a surrogate pair.
 */

/** A span of a document's text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A heading with the text under it, up to the next heading of the same or a higher level. */
export interface Section extends Span {
  readonly title: string
  /** 1 is the highest. */
  readonly level: number
}

/** Where an offset lies, in a reader's terms. */
export interface Location {
  /** Titles of the sections that hold the offset, outermost first; empty outside all sections. */
  readonly sections: readonly string[]
  /** Line, from 1. */
  readonly line: number
  /** Column in UTF-16 code units, from 1. */
  readonly column: number
}

/** A text with an identity. Made by `readDocument` and `createDocument`; never changed. */
export interface Document {
  /** `name` and content hash: two documents of one name and one text are the same. */
  readonly id: string
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string
  /** Label for people, such as a file name. */
  readonly name: string
  /** Title of the text, where one is known. */
  readonly title: string | undefined
  readonly text: string
  /** In order of start; a section holds its subsections. */
  readonly sections: readonly Section[]
  /** Text of a span. Throws a RangeError that names the numbers when it lies outside. */
  slice(start: number, end: number): string
  locate(offset: number): Location
}
