import { createDocument } from '../create-document.ts'
import type { Document, Mark, Page, Span } from '../document.ts'
import { nest } from '../find-sections.ts'
import type { Heading } from '../heading.ts'
import { alignCues } from './align-cues.ts'

/**
 * The slides of a talk with what was said behind each of them: a cue goes to the slide whose words it shares, and never to one before the slide of the
 * cue before it. Marks tell the time and the speaker of each cue, and `locate` gives both beside the slide.
 *
 * @param slides a document with pages, such as a presentation
 * @param transcript a document whose marks tell times, such as subtitles
 * @throws TypeError when the one has no pages, or the other no times
 */
export function interleaveTranscript(slides: Document, transcript: Document): Document {
  const cues = transcript.marks.filter(({ type }) => type === 'time')
  if (slides.pages.length === 0) throw new TypeError(`Cannot interleave a transcript as the document has no pages: ${slides.name}`)
  if (cues.length === 0) throw new TypeError(`Cannot interleave a transcript as its marks tell no times: ${transcript.name}`)
  const slideOf = alignCues(slides.pages.map(textIn(slides)), cues.map(textIn(transcript)))
  const writer = new PageWriter(slides)
  slides.pages.forEach((page, slide) => {
    const spoken = cues.filter((_, at) => slideOf[at] === slide)
    writer.page(page, transcript, spoken)
  })
  return writer.end(transcript.notes)
}

function textIn(document: Document): (span: Span) => string {
  return ({ start, end }) => document.slice(start, end)
}

/** Copies pages with what goes behind each of them, and moves what points into them. */
class PageWriter {
  readonly #slides: Document
  readonly #pages: Page[] = []
  readonly #marks: Mark[] = []
  readonly #headings: Heading[] = []
  #text = ''

  constructor(slides: Document) {
    this.#slides = slides
  }

  page(page: Page, transcript: Document, cues: readonly Span[]): void {
    const by = this.#add(this.#slides, page, '\n\n')
    for (const section of this.#slides.sections) if (startsIn(page, section)) this.#headings.push(moved(section, by))
    cues.forEach((cue, at) => this.#add(transcript, cue, at === 0 ? '\n\n' : '\n'))
    const boxes = page.boxes?.map((box) => moved(box, by))
    this.#pages.push({ ...page, start: page.start + by, end: this.#text.length, ...(boxes ? { boxes } : {}) })
  }

  end(notes: readonly string[]): Document {
    const { name, title, format, notes: own } = this.#slides
    const sections = nest(this.#headings, this.#text.length)
    return createDocument({
      name,
      title,
      format,
      text: this.#text,
      sections,
      pages: this.#pages,
      marks: this.#marks,
      notes: [...own, ...notes],
    })
  }

  /** Returns by how much what points into the span has to be moved. */
  #add(document: Document, span: Span, gap: string): number {
    if (this.#text !== '' && span.end > span.start) this.#text += gap
    const by = this.#text.length - span.start
    this.#text += document.slice(span.start, span.end)
    for (const mark of document.marks) if (startsIn(span, mark) && mark.end <= span.end) this.#marks.push(moved(mark, by))
    return by
  }
}

function startsIn({ start, end }: Span, inner: Span): boolean {
  return inner.start >= start && inner.start < end
}

function moved<T extends Span>(span: T, by: number): T {
  return { ...span, start: span.start + by, end: span.end + by }
}
