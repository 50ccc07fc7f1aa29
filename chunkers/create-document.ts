import { createHash } from 'node:crypto'
import { DocumentError } from '../errors/index.ts'
import type { Document, Location, Section } from './document.ts'
import { findSections } from './find-sections.ts'
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
}

/**
 * Makes a document of a text.
 *
 * @throws DocumentError `encoding` when the text holds a lone surrogate: it could be neither hashed nor stored without loss
 * @throws RangeError when sections lie outside the text, out of order, or overlap without nesting
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
  return new TextDocument(init)
}

class TextDocument implements Document {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly title: string | undefined
  readonly text: string
  #sections: readonly Section[] | undefined
  #paths: ((offset: number) => readonly string[]) | undefined
  #lineStarts: readonly number[] | undefined

  constructor({ text, name, title, sections }: DocumentInit) {
    this.hash = sha256(text)
    this.id = `${name}@${this.hash}`
    this.name = name
    this.title = title
    this.text = text
    this.#sections = sections && Object.freeze(sections.map((section) => Object.freeze({ ...section })))
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
    return { sections: this.#paths(offset), line: line + 1, column: offset - this.#lineStarts[line]! + 1 }
  }
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

function checkSections(sections: readonly Section[], text: string): void {
  const open: Section[] = []
  let previous = 0
  for (const section of sections) {
    const { start, end, title, level } = section
    const label = `"${title}" [${start}, ${end})`
    const whole = Number.isInteger(start) && Number.isInteger(end)
    if (!whole || start < 0 || end < start || end > text.length) {
      throw new RangeError(`Cannot use a section as it lies outside the text of ${text.length}: ${label}`)
    }
    if (!Number.isInteger(level) || level < 1)
      throw new RangeError(`Cannot use a section as its level is not 1 or more: ${label}, ${level}`)
    if (cutsSurrogatePair(text, start) || cutsSurrogatePair(text, end)) {
      throw new RangeError(`Cannot use a section as it cuts a surrogate pair: ${label}`)
    }
    if (start < previous) throw new RangeError(`Cannot use a section as it starts before the one in front of it (${previous}): ${label}`)
    while (open.length > 0 && open.at(-1)!.end <= start) open.pop()
    const parent = open.at(-1)
    if (parent && end > parent.end) {
      throw new RangeError(
        `Cannot use a section as it overlaps "${parent.title}" [${parent.start}, ${parent.end}) without nesting: ${label}`,
      )
    }
    open.push(section)
    previous = start
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
