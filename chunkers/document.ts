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

/** A line of text on a page, in points from the page's top left corner. */
export interface Box extends Span {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A page of a paged source, or a slide. Pages come in order and do not overlap; one without text has an empty span. */
export interface Page extends Span {
  /** From 1, in the order of the source. */
  readonly number: number
  readonly kind: 'page' | 'slide'
  /** What is printed on it, where the source says so: `xii`, `A-3`. */
  readonly label?: string
  /** Size in points. */
  readonly width?: number
  readonly height?: number
  /** Its lines, so that a citation can be drawn on it. */
  readonly boxes?: readonly Box[]
  /** Whether it is a picture of a page: its text is what the OCR hook gave, or missing. */
  readonly scanned?: boolean
}

/**
 * What a mark says of its span, and what its value is: `table` (its header), `row`, `code` (its language), `speaker` (their name), `time`
 * (when it was said: `00:12:31.000` from the beginning, or a date with a time); `bold`, `italic`, `item` of a list and `notes` of a slide have none.
 */
export type MarkType = 'bold' | 'italic' | 'code' | 'table' | 'row' | 'item' | 'speaker' | 'time' | 'notes'

/** A span with an attribute. Marks come in order of start; they may overlap. */
export interface Mark extends Span {
  readonly type: MarkType
  readonly value?: string
}

/** Where an offset lies, in a reader's terms. */
export interface Location {
  /** Titles of the sections that hold the offset, outermost first; empty outside all sections. */
  readonly sections: readonly string[]
  /** Line, from 1. */
  readonly line: number
  /** Column in UTF-16 code units, from 1. */
  readonly column: number
  /** Number of the page or slide, in a paged source. */
  readonly page?: number
  /** When it was said, in a transcript, a chat or a mail. */
  readonly time?: string
  /** Who said it. */
  readonly speaker?: string
  /** Where to look, in a source with pages or times: `p. 12`, `slide 3`, `00:12:31`. */
  readonly place?: string
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
  /** What it was read from, such as `pdf`; undefined for a text that was handed over. */
  readonly format: string | undefined
  /** Empty where the source has none. */
  readonly pages: readonly Page[]
  readonly marks: readonly Mark[]
  /** What the reader of the answer should know of the reading: pages without text, parts that were left out. */
  readonly notes: readonly string[]
  /** Text of a span. Throws a RangeError that names the numbers when it lies outside. */
  slice(start: number, end: number): string
  locate(offset: number): Location
}
