import { createHash } from 'node:crypto'
import { DocumentError } from '../errors/index.ts'
import { checkMarks, checkPages, checkSections } from './check-spans.ts'
import type { Document, Location, Mark, Page, Section } from './document.ts'
import { findSections } from './find-sections.ts'
import { createPlaces, type Place } from './places.ts'
import { lastAtOrBefore, sectionPaths } from './section-paths.ts'
import { cutsSurrogatePair, loneSurrogate } from './surrogates.ts'

/** What a document is made of. */
export interface DocumentInit {
  readonly text: string
  /** Label for people, such as a file name; one that ends in `.md` or `.markdown` is read as Markdown when sections are looked for. */
  readonly name: string
  readonly title?: string | undefined
  /**
   * Sections in order of start, each holding its subsections. Absent: headings are looked for in the text, when first asked for. An empty
   * list: none.
   */
  readonly sections?: readonly Section[]
  /** What it was read from, such as `pdf`. */
  readonly format?: string | undefined
  /** In order, without overlap. */
  readonly pages?: readonly Page[]
  /** In order of start; or how they are found, when first asked for. */
  readonly marks?: readonly Mark[] | (() => readonly Mark[])
  readonly notes?: readonly string[]
}

/**
 * Makes a document of a text.
 *
 * @throws DocumentError `encoding` when the text holds a lone surrogate: it could be neither hashed nor stored without loss
 * @throws RangeError when sections, pages or marks lie outside the text or out of order, or overlap where they must not
 */
export function createDocument(init: DocumentInit): Document {
  const lone = loneSurrogate(init.text)
  if (lone >= 0) {
    const unit = init.text.charCodeAt(lone).toString(16).toUpperCase()
    throw new DocumentError(
      `Cannot read ${init.name} as its text holds a lone surrogate: U+${unit} at offset ${lone}. Decode the source again or replace it (text.toWellFormed())`,
      { reason: 'encoding', source: init.name },
    )
  }
  if (init.sections) checkSections(init.sections, init.text)
  if (init.pages) checkPages(init.pages, init.text)
  if (Array.isArray(init.marks)) checkMarks(init.marks, init.text)
  return new TextDocument(init)
}

class TextDocument implements Document {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly title: string | undefined
  readonly text: string
  readonly format: string | undefined
  readonly pages: readonly Page[]
  readonly notes: readonly string[]
  #marks: readonly Mark[] | (() => readonly Mark[])
  #sections: readonly Section[] | undefined
  #places: ((offset: number) => Place) | undefined
  #paths: ((offset: number) => readonly string[]) | undefined
  #lineStarts: readonly number[] | undefined

  constructor({ text, name, title, sections, format, pages = [], marks = [], notes = [] }: DocumentInit) {
    this.hash = sha256(text)
    this.id = `${name}@${this.hash}`
    this.name = name
    this.title = title
    this.text = text
    this.#sections = sections && frozen(sections)
    this.format = format
    this.pages = frozen(pages)
    this.#marks = typeof marks === 'function' ? marks : frozen(marks)
    this.notes = Object.freeze([...notes])
  }

  get marks(): readonly Mark[] {
    if (typeof this.#marks === 'function') this.#marks = frozen(this.#marks())
    return this.#marks
  }

  get sections(): readonly Section[] {
    this.#sections ??= Object.freeze(findSections(this.text, { name: this.name }))
    return this.#sections
  }

  slice(start: number, end: number): string {
    checkSpan(this, start, end)
    return this.text.slice(start, end)
  }

  locate(offset: number): Location {
    if (!Number.isInteger(offset) || offset < 0 || offset > this.text.length) {
      throw new RangeError(`Cannot locate an offset in ${this.name} as it lies outside [0, ${this.text.length}]: ${offset}`)
    }
    this.#paths ??= sectionPaths(this.sections)
    this.#lineStarts ??= lineStarts(this.text)
    const line = lastAtOrBefore(this.#lineStarts, offset)
    this.#places ??= createPlaces(this)
    return { sections: this.#paths(offset), line: line + 1, column: offset - this.#lineStarts[line]! + 1, ...this.#places(offset) }
  }
}

function frozen<T extends object>(values: readonly T[]): readonly T[] {
  return Object.freeze(values.map((value) => Object.freeze({ ...value })))
}

function checkSpan(document: Document, start: number, end: number): void {
  const { text, name } = document
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > text.length) {
    throw new RangeError(`Cannot slice ${name} as the span lies outside [0, ${text.length}]: [${start}, ${end})`)
  }
  if (cutsSurrogatePair(text, start) || cutsSurrogatePair(text, end)) {
    throw new RangeError(`Cannot slice ${name} as the span cuts a surrogate pair: [${start}, ${end})`)
  }
}

/** SHA-256 of a text in UTF-8, hexadecimal. Fed in parts so that a long text is never encoded as one buffer. */
export function sha256(text: string): string {
  const part = 1 << 20
  if (text.length <= part) return createHash('sha256').update(text).digest('hex')
  const hash = createHash('sha256')
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + part, text.length)
    if (cutsSurrogatePair(text, end)) end++
    hash.update(text.slice(start, end))
    start = end
  }
  return hash.digest('hex')
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
