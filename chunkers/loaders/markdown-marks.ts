import { fromMarkdown } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { frontmatter } from 'micromark-extension-frontmatter'
import { gfm } from 'micromark-extension-gfm'
import type { Mark, MarkType } from '../document.ts'

type Root = ReturnType<typeof fromMarkdown>
type Nodes = Root | Root['children'][number]

/** What is too long, has lines too long or quotes too deep for the parser, in whose time they go squared, has no marks. */
const LONGEST_TEXT = 4 << 20
const LONGEST_LINE = 50_000
const DEEP_QUOTE = /^(?:[ \t]*>){100}/m

const TYPES: Readonly<Partial<Record<Nodes['type'], MarkType>>> = {
  code: 'code',
  emphasis: 'italic',
  inlineCode: 'code',
  listItem: 'item',
  strong: 'bold',
  table: 'table',
  tableRow: 'row',
}

/** What the syntax tree of a Markdown text marks (CommonMark with GitHub's tables): code with its language, tables with their header, items, emphasis. */
export function markdownMarks(text: string): Mark[] {
  if (text.length > LONGEST_TEXT || DEEP_QUOTE.test(text) || hasLongLine(text)) return []
  const tree = fromMarkdown(text, {
    extensions: [gfm(), frontmatter()],
    mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown()],
  })
  const marks: Mark[] = []
  const visit = (node: Nodes): void => {
    const type = TYPES[node.type]
    const start = node.position?.start.offset
    const end = node.position?.end.offset
    if (type && start !== undefined && end !== undefined) marks.push({ type, start, end, ...valueOf(node, text) })
    if ('children' in node) for (const child of node.children) visit(child)
  }
  visit(tree)
  return marks.toSorted((a, b) => a.start - b.start || b.end - a.end)
}

function valueOf(node: Nodes, text: string): { value?: string } {
  if (node.type === 'code' && node.lang) return { value: node.lang }
  const header = node.type === 'table' ? node.children[0]?.position : undefined
  return header ? { value: text.slice(header.start.offset, header.end.offset) } : {}
}

function hasLongLine(text: string): boolean {
  for (let start = 0; start < text.length;) {
    const at = text.indexOf('\n', start)
    const end = at < 0 ? text.length : at
    if (end - start > LONGEST_LINE) return true
    start = end + 1
  }
  return false
}
