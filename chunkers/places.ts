import type { Document, Location, Page, Span } from './document.ts'
import { lastAtOrBefore } from './section-paths.ts'

/** The part of a location that only some sources have. */
export type Place = Pick<Location, 'page' | 'time' | 'speaker' | 'place'>

/** Formats whose marks say when something was said and by whom; in others marks are not looked for, as finding them may be slow. */
const SPOKEN = new Set(['subtitles', 'chat', 'mail', 'pptx', 'pdf'])

/** Makes a function from an offset to its page, time and speaker: a binary search a call. */
export function createPlaces(document: Pick<Document, 'format' | 'pages' | 'marks' | 'text'>): (offset: number) => Place {
  const { pages, format, text } = document
  const marks = format !== undefined && SPOKEN.has(format) ? document.marks : []
  const pageAt = finder(pages, text)
  const timeAt = finder(
    marks.filter(({ type }) => type === 'time'),
    text,
  )
  const speakerAt = finder(
    marks.filter(({ type }) => type === 'speaker'),
    text,
  )
  return (offset) => {
    const page = pageAt(offset)
    const time = timeAt(offset)?.value
    const speaker = speakerAt(offset)?.value
    const place = page ? placeOfPage(page) : time?.replace(/\.000$/, '')
    return {
      ...(page ? { page: page.number } : {}),
      ...(time === undefined ? {} : { time }),
      ...(speaker === undefined ? {} : { speaker }),
      ...(place === undefined ? {} : { place }),
    }
  }
}

function placeOfPage({ kind, label, number }: Page): string {
  return `${kind === 'slide' ? 'slide' : 'p.'} ${label ?? number}`
}

/** Of spans that do not overlap, the one that holds an offset; in the white space behind one, the one before. */
function finder<T extends Span>(spans: readonly T[], text: string): (offset: number) => T | undefined {
  const full = spans.filter(({ start, end }) => end > start)
  const starts = full.map(({ start }) => start)
  return (offset) => {
    const found = full[lastAtOrBefore(starts, offset)]
    return found && (offset < found.end || text.slice(found.end, offset + 1).trim() === '') ? found : undefined
  }
}
