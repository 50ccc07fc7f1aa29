import type { Section } from './document.ts'
import type { Heading } from './heading.ts'
import { markdownHeadings } from './markdown-headings.ts'
import { plainHeadings } from './plain-headings.ts'

export interface FindSectionsOptions {
  /** File name: `.md` and `.markdown` are read as Markdown, other extensions as plain text. */
  readonly name?: string
}

/**
 * Finds the sections of a text by its headings: ATX and setext headings in Markdown; chapters, books, parts and the like in plain text. A
 * section reaches from its heading to the next one of the same or a higher level. A name without an extension is read as plain text,
 * and as Markdown when that finds nothing and the text opens with a Markdown heading.
 */
export function findSections(text: string, options: FindSectionsOptions = {}): Section[] {
  const { name = '' } = options
  if (isMarkdownName(name)) return nest(markdownHeadings(text), text.length)
  const plain = plainHeadings(text)
  const opensAsMarkdown = plain.length === 0 && !/\.[a-z0-9]+$/i.test(name) && /^\s*#{1,6}\s+\S/.test(text.slice(0, 1000))
  return nest(opensAsMarkdown ? markdownHeadings(text) : plain, text.length)
}

/** Whether a file name is that of a Markdown text. */
export function isMarkdownName(name: string): boolean {
  return /\.(?:md|markdown|mdown|mkd)$/i.test(name)
}

/** Gives every heading its end. Walks backwards, keeping where the nearest heading of each level or higher starts. */
export function nest(headings: readonly Heading[], length: number): Section[] {
  const next: number[] = []
  const sections: Section[] = []
  for (let i = headings.length - 1; i >= 0; i--) {
    const { start, title, level } = headings[i]!
    let end = length
    for (let above = 1; above <= level; above++) end = Math.min(end, next[above] ?? length)
    sections.push({ start, end, title, level })
    next[level] = start
  }
  return sections.toReversed()
}
