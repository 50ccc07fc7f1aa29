import type { Section } from './document.ts'
import { isMarkdownName } from './find-sections.ts'
import { frontMatterEnd } from './markdown-headings.ts'
import { paragraphs } from './paragraphs.ts'

/** How far into a text a title is looked for. */
const HEAD = 4000

/**
 * The title of a text, where its beginning tells it: a "Title:" line of a front matter or a Project Gutenberg header, the first heading of a
 * Markdown text where it is the only one of the highest level, or a first line that stands alone like "MOBY-DICK; or, THE WHALE."
 */
export function findTitle(text: string, name: string, sections: readonly Section[]): string | undefined {
  const head = text.slice(0, HEAD)
  const labelled = /^title:[ \t]*(\S.*)$/im.exec(isMarkdownName(name) ? head.slice(0, frontMatterEnd(text)) : head)?.[1]
  if (labelled) return labelled.trim().replace(/^(["'])(.*)\1$/, '$2')
  if (isMarkdownName(name)) {
    const highest = sections.filter(({ level }) => level === 1)
    return highest.length === 1 && highest[0] === sections[0] ? highest[0]!.title : undefined
  }
  return firstLine(head, sections[0]?.start ?? text.length)
}

/** The first paragraph, in front of all sections, when it is one short line in title case or capitals. */
function firstLine(head: string, end: number): string | undefined {
  const [first] = paragraphs(head.slice(0, end))
  if (!first || first.lines.length > 1 || first.end - first.start > 100 || first.end >= head.length) return undefined
  const line = head.slice(first.start, first.end).trim()
  if (!/\p{L}{2}/u.test(line)) return undefined
  // In capitals, but for the small words of a title.
  if (line.split(/[^\p{L}]+/u).every((word) => word === word.toUpperCase() || word.length <= 3)) return line.replace(/\.$/, '')
  return /^["“]?\p{Lu}/u.test(line) && !/[.!?,;:]["”’]?$/u.test(line) ? line : undefined
}
