import { loadOptional } from '../../errors/index.ts'
import { tooLarge } from './refusals.ts'

/** The part of a DOM that is read. */
export interface HtmlNode {
  /** 1 element, 3 text, 4 CDATA, 9 document, 11 fragment. */
  readonly nodeType: number
  readonly localName?: string
  readonly textContent: string | null
  readonly firstChild: HtmlNode | null
  readonly nextSibling: HtmlNode | null
}

export interface HtmlElement extends HtmlNode {
  readonly localName: string
  getAttribute(name: string): string | null
  querySelector(selector: string): HtmlElement | null
  querySelectorAll(selector: string): Iterable<HtmlElement>
  remove(): void
}

export interface HtmlDocument extends HtmlElement {
  readonly title: string
  readonly body: HtmlElement | null
  readonly documentElement: HtmlElement | null
}

/** Deeper trees are refused: parsers take time in the square of the depth, or overflow the stack. */
const DEEPEST = 1_000

/** Elements without an end tag, and those whose end tag may be left out, which parsers close by themselves. */
const UNCLOSED = new Set(
  'area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup tr td th thead tbody tfoot colgroup rt rp'.split(
    ' ',
  ),
)

/**
 * Parses HTML.
 *
 * @throws DocumentError `too-large` when it nests too deep
 */
export async function parseHtml(html: string, source: string): Promise<HtmlDocument> {
  checkDepth(html, source)
  const { parseHTML } = await loadOptional('linkedom', `read ${source}`, () => import('linkedom'))
  // A fragment has no body of its own, and the parser makes none around it.
  const whole = /<html[\s>]/i.test(html) ? html : `<!doctype html><html><head></head><body>${html}</body></html>`
  return (parseHTML(whole) as unknown as { document: HtmlDocument }).document
}

function checkDepth(html: string, source: string): void {
  let depth = 0
  for (const [, slash, name, end] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)(?:"[^"]*"|'[^']*'|[^"'>])*?(\/?)>/gi)) {
    if (UNCLOSED.has(name!.toLowerCase()) || end === '/') continue
    depth += slash === '/' ? -1 : 1
    if (depth > DEEPEST) throw tooLarge(source, `its elements nest more than ${DEEPEST} deep`, 'Convert it to plain text first')
  }
}

/** XHTML closes elements where HTML does not (`<a id="x"/>`); an HTML parser takes those as opened. */
export function xhtmlToHtml(xhtml: string): string {
  return xhtml
    .replace(/^\s*<\?xml[^>]*\?>/, '')
    .replace(/<([a-z][a-z0-9]*)((?:\s(?:"[^"]*"|'[^']*'|[^"'>])*?)?)\/>/gi, (tag, name: string, rest: string) =>
      UNCLOSED.has(name.toLowerCase()) ? tag : `<${name}${rest}></${name}>`,
    )
}
