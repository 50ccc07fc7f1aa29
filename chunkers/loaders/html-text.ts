import type { HtmlElement, HtmlNode } from './html-nodes.ts'
import type { TextBuilder } from './text-builder.ts'

/** Not read: what is no text of the page. */
const SKIPPED = new Set(
  'script style noscript template head title svg math iframe object canvas audio video select button input textarea'.split(' '),
)
/** Stand on lines of their own. */
const BLOCKS = new Set(
  'address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form header hr legend main nav ol p section summary ul'.split(
    ' ',
  ),
)
const BOLD = new Set(['b', 'strong'])
const ITALIC = new Set(['i', 'em', 'cite'])

export interface AppendHtmlOptions {
  /** Added to the level of each heading; 0 by default. */
  readonly deeper?: number
}

/**
 * Adds the text under a node: headings as sections, paragraphs as blocks, list items with their signs, table rows as `a | b`, code as it
 * stands. White space is joined as a browser does.
 */
export function appendHtml(builder: TextBuilder, node: HtmlNode, { deeper = 0 }: AppendHtmlOptions = {}): void {
  new HtmlWriter(builder, deeper).children(node)
}

class HtmlWriter {
  readonly #builder: TextBuilder
  readonly #deeper: number
  /** A space is due before the next word. */
  #space = false
  /** Nothing stands on the line yet. */
  #fresh = true
  /** The sign of a list item stands there: what follows is on its line. */
  #sign = false
  #list: { kind: 'ol' | 'ul'; depth: number; count: number } | undefined

  constructor(builder: TextBuilder, deeper: number) {
    this.#builder = builder
    this.#deeper = deeper
  }

  children(node: HtmlNode): void {
    for (let child = node.firstChild; child; child = child.nextSibling) this.#node(child)
  }

  #node(node: HtmlNode): void {
    if (node.nodeType === 3 || node.nodeType === 4) return this.#text(node.textContent ?? '')
    if (node.nodeType !== 1) return
    const element = node as HtmlElement
    const name = element.localName.toLowerCase()
    if (SKIPPED.has(name) || element.getAttribute('hidden') !== null) return
    if (/^h[1-6]$/.test(name)) return this.#heading(element, Number(name[1]))
    if (name === 'br') return this.#break(1)
    if (name === 'pre') return this.#code(element)
    if (name === 'table') return this.#table(element)
    if (name === 'li') return this.#item(element)
    if (name === 'ol' || name === 'ul') return this.#listOf(element, name)
    if (BLOCKS.has(name)) return this.#block(element)
    const start = this.#start()
    this.children(element)
    if (BOLD.has(name)) this.#builder.mark('bold', start)
    else if (ITALIC.has(name)) this.#builder.mark('italic', start)
    else if (name === 'code' || name === 'kbd' || name === 'samp') this.#builder.mark('code', start)
  }

  /** Where the next word will stand. */
  #start(): number {
    return this.#builder.offset + (this.#space && !this.#fresh ? 1 : 0)
  }

  #text(text: string): void {
    const words = text.replace(/[ \t\r\n\f]+/g, ' ')
    const inner = words.trim() === '' ? '' : words.replace(/^ | $/g, '')
    if (words.startsWith(' ')) this.#space = true
    if (inner === '') return
    this.#builder.add(this.#space && !this.#fresh ? ` ${inner}` : inner)
    this.#fresh = false
    this.#sign = false
    this.#space = words.endsWith(' ')
  }

  #break(lines: 1 | 2): void {
    if (this.#sign) return
    this.#builder.break(lines)
    this.#fresh = true
    this.#space = false
  }

  #block(element: HtmlElement): void {
    this.#break(this.#list ? 1 : 2)
    this.children(element)
    this.#break(this.#list ? 1 : 2)
  }

  #heading(element: HtmlElement, level: number): void {
    this.#builder.heading(element.textContent ?? '', level + this.#deeper)
    this.#fresh = true
    this.#space = false
  }

  #code(element: HtmlElement): void {
    this.#break(2)
    const start = this.#builder.offset
    this.#builder.add((element.textContent ?? '').replace(/\r\n?/g, '\n').replace(/^\n+|\s+$/g, ''))
    const language = /\blang(?:uage)?-([\w+#-]+)/.exec(
      `${element.getAttribute('class')} ${element.querySelector('code')?.getAttribute('class')}`,
    )?.[1]
    this.#builder.mark('code', start, language)
    this.#break(2)
  }

  #listOf(element: HtmlElement, kind: 'ol' | 'ul'): void {
    const outer = this.#list
    this.#break(outer ? 1 : 2)
    this.#list = { kind, depth: (outer?.depth ?? -1) + 1, count: Number(element.getAttribute('start') ?? 1) || 1 }
    this.children(element)
    this.#list = outer
    this.#break(outer ? 1 : 2)
  }

  #item(element: HtmlElement): void {
    const list = this.#list
    this.#break(1)
    const start = this.#builder.offset
    this.#builder.add(`${'  '.repeat(list?.depth ?? 0)}${list?.kind === 'ol' ? `${list.count++}.` : '-'} `)
    this.#fresh = true
    this.#sign = true
    this.children(element)
    this.#sign = false
    this.#builder.mark('item', start)
    this.#break(1)
  }

  #table(table: HtmlElement): void {
    const rows = rowsOf(table)
    // A table of one column is there for the layout, and one that holds tables is too.
    if (rows.every(({ cells }) => cells.length < 2) || table.querySelector('table')) {
      for (const { cells } of rows) for (const cell of cells) this.#block(cell)
      return
    }
    this.#break(2)
    const caption = table.querySelector('caption')?.textContent?.trim()
    if (caption) this.#builder.add(caption.replace(/\s+/g, ' '))
    this.#break(1)
    const start = this.#builder.offset
    const header = rows[0]?.isHeader ? rowText(rows[0].cells) : undefined
    for (const { cells } of rows) {
      const text = rowText(cells)
      if (text.replaceAll('|', '').trim() === '') continue
      const rowStart = this.#builder.offset
      this.#builder.add(text)
      this.#builder.mark('row', rowStart)
      this.#builder.break(1)
    }
    this.#builder.mark('table', start, header)
    this.#break(2)
  }
}

interface Row {
  readonly cells: readonly HtmlElement[]
  readonly isHeader: boolean
}

/** Rows of the table itself, not of tables in it. */
function rowsOf(node: HtmlElement, inHead = false): Row[] {
  const rows: Row[] = []
  for (let child = node.firstChild as HtmlElement | null; child; child = child.nextSibling as HtmlElement | null) {
    const name = child.nodeType === 1 ? child.localName.toLowerCase() : ''
    if (name === 'thead' || name === 'tbody' || name === 'tfoot') rows.push(...rowsOf(child, name === 'thead'))
    if (name !== 'tr') continue
    const cells: HtmlElement[] = []
    for (let cell = child.firstChild as HtmlElement | null; cell; cell = cell.nextSibling as HtmlElement | null) {
      if (cell.nodeType === 1 && /^t[dh]$/i.test(cell.localName)) cells.push(cell)
    }
    if (cells.length > 0) rows.push({ cells, isHeader: inHead || cells.every(({ localName }) => localName.toLowerCase() === 'th') })
  }
  return rows
}

function rowText(cells: readonly HtmlElement[]): string {
  return cells.map((cell) => (cell.textContent ?? '').replace(/\s+/g, ' ').trim()).join(' | ')
}
