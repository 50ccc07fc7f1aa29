import { loadOptional } from '../../errors/index.ts'
import { decodeBytes } from './decode-bytes.ts'
import { type HtmlDocument, type HtmlNode, parseHtml } from './html-nodes.ts'
import { appendHtml } from './html-text.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { TextBuilder } from './text-builder.ts'

/** Shorter articles, and those of a page that holds far more, are taken for a misjudgement. */
const LEAST_LENGTH = 500
const LEAST_SHARE = 0.3
/** Parts of a page that are not its content, where no article was found in it. */
const FURNITURE = 'nav, footer, aside, [role=navigation], [aria-hidden=true]'

/** Reads the main content of a web page; the whole page without its navigation, where it has no article. */
export async function loadHtml(bytes: Uint8Array, { source }: LoadContext): Promise<LoadedText> {
  const html = await decodeBytes(bytes, source)
  const document = await parseHtml(html, source)
  const title = document.title.replace(/\s+/g, ' ').trim() || undefined
  const builder = new TextBuilder()
  const article = await findArticle(html, document, source)
  if (article) {
    const text = article.content.textContent ?? ''
    // The heading that repeats the title is taken out of an article.
    if (article.title && !text.includes(article.title)) builder.heading(article.title, 1)
    appendHtml(builder, article.content)
  } else if (document.body) {
    for (const element of document.querySelectorAll(FURNITURE)) element.remove()
    appendHtml(builder, document.body)
  }
  return builder.end(article?.title ?? title)
}

interface Article {
  readonly title: string | undefined
  readonly content: HtmlNode
}

/** Mozilla's Readability; it changes the tree, so it is given one of its own. */
async function findArticle(html: string, page: HtmlDocument, source: string): Promise<Article | undefined> {
  const { Readability } = await loadOptional('@mozilla/readability', `read ${source}`, () => import('@mozilla/readability'))
  const copy = await parseHtml(html, source)
  for (const element of copy.querySelectorAll('nav, [role=navigation]')) element.remove()
  const article = new Readability<HtmlNode>(copy, {
    keepClasses: true,
    serializer: (node) => node,
  }).parse()
  const content = article?.content
  if (!content) return undefined
  const { length } = (content.textContent ?? '').trim()
  return length < LEAST_LENGTH || length < LEAST_SHARE * visibleLength(page)
    ? undefined
    : { title: article.title?.trim() || undefined, content }
}

function visibleLength({ body }: HtmlDocument): number {
  const builder = new TextBuilder()
  if (body) appendHtml(builder, body)
  return builder.offset
}
