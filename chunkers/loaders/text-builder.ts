import type { Mark, MarkType, Page } from '../document.ts'
import { nest } from '../find-sections.ts'
import type { Heading } from '../heading.ts'
import type { LoadedText } from './loaded-text.ts'

const LONE_SURROGATE = /\p{Surrogate}/gu

/**
 * Puts a text together part by part, with its headings, marks and pages. Blocks stand on lines of their own, with a blank line between them;
 * the white space at their borders is kept out of the text.
 */
export class TextBuilder {
  readonly #parts: string[] = []
  readonly #headings: Heading[] = []
  readonly #marks: Mark[] = []
  readonly #pages: Page[] = []
  readonly #notes: string[] = []
  #length = 0
  /** Line ends that are due before the next text. */
  #due = 0

  /** Where the next text will start. */
  get offset(): number {
    return this.#length === 0 ? 0 : this.#length + this.#due
  }

  /** Adds text as it is. */
  add(text: string): void {
    if (text === '') return
    if (this.#due > 0) {
      if (this.#length > 0) this.#push('\n'.repeat(this.#due))
      this.#due = 0
    }
    // One unit for one unit, so that offsets stay right.
    this.#push(text.replace(LONE_SURROGATE, '\uFFFD'))
  }

  /** The next text starts a line, after a blank line by default. */
  break(lines: 1 | 2 = 2): void {
    this.#due = Math.max(this.#due, lines)
  }

  /** Adds a heading as a block; an empty one is left out. */
  heading(title: string, level: number): void {
    const clean = title.replace(/\s+/g, ' ').trim()
    if (clean === '') return
    this.break()
    const start = this.offset
    this.add(clean)
    this.#headings.push({ start, end: this.#length, title: clean, level })
    this.break()
  }

  /** Opens a section at text that was or will be added without the builder writing its title. */
  section(start: number, title: string, level: number): void {
    this.#headings.push({ start, end: start, title, level })
  }

  /** Marks what was added since `start`; nothing, when nothing was. */
  mark(type: MarkType, start: number, value?: string): void {
    if (this.#length <= start) return
    this.#marks.push({ type, start, end: this.#length, ...(value === undefined ? {} : { value }) })
  }

  /** Ends a page that began at `start`. */
  page(page: Omit<Page, 'start' | 'end'>, start: number): void {
    this.#pages.push({ ...page, start: Math.min(start, this.#length), end: this.#length })
  }

  /** Says what was left out. */
  note(note: string): void {
    this.#notes.push(note)
  }

  end(title?: string): LoadedText {
    const text = this.#parts.join('')
    // A section that no text came for is none.
    const headings = this.#headings.filter(({ start }) => start < text.length).toSorted((a, b) => a.start - b.start)
    return {
      text,
      title,
      sections: nest(headings, text.length),
      ...(this.#pages.length === 0 ? {} : { pages: this.#pages }),
      ...(this.#marks.length === 0 ? {} : { marks: this.#marks.toSorted((a, b) => a.start - b.start || b.end - a.end) }),
      ...(this.#notes.length === 0 ? {} : { notes: this.#notes }),
    }
  }

  #push(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
  }
}
