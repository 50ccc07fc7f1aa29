import { posix } from 'node:path'
import { decodeXml, parseXml } from './parse-xml.ts'
import { parseHtml, xhtmlToHtml } from './html-nodes.ts'
import { appendHtml } from './html-text.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { damaged, encrypted } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'
import { type Archive, openArchive } from './unzip.ts'

const CONTAINER = 'META-INF/container.xml'
const ENCRYPTION = 'META-INF/encryption.xml'

interface PackageItem {
  readonly path: string
  readonly type: string
  readonly properties: string
}

interface Package {
  readonly title: string | undefined
  readonly items: readonly PackageItem[]
  /** The chapters, in the order of reading. */
  readonly spine: readonly PackageItem[]
}

/** Reads an e-book (EPUB 2 and 3): container, package, spine; a chapter without a heading takes its title from the table of contents. */
export async function loadEpub(bytes: Uint8Array, { source, maxBytes }: LoadContext): Promise<LoadedText> {
  const archive = openArchive(bytes, { source, maxBytes })
  refuseLocked(archive, source)
  const book = readPackage(archive, packagePath(archive, source), source)
  const titles = await chapterTitles(archive, book, source)
  const chapters = new Set(book.spine.map(({ path }) => path))
  const files = archive.read((name) => chapters.has(name))
  const builder = new TextBuilder()
  for (const { path } of book.spine) {
    const chapter = files.get(path)
    if (!chapter) throw damaged(source, `its chapter ${path} is missing`)
    const { body } = await parseHtml(xhtmlToHtml(decodeXml(chapter)), source)
    if (!body) continue
    builder.break()
    const start = builder.offset
    const title = titles.get(path)
    if (title !== undefined && !body.querySelector('h1, h2, h3, h4, h5, h6')) builder.section(start, title, 1)
    appendHtml(builder, body)
    builder.break()
  }
  return builder.end(book.title)
}

/** Fonts may be obfuscated; anything else that is encrypted is the text. */
function refuseLocked(archive: Archive, source: string): void {
  const bytes = archive.file(ENCRYPTION)
  if (!bytes) return
  parseXml(
    bytes,
    { source, part: ENCRYPTION },
    {
      open(name, { Algorithm }) {
        if (name === 'EncryptionMethod' && Algorithm && !/idpf\.org\/2008\/embedding|ns\.adobe\.com\/pdf\/enc/.test(Algorithm)) {
          throw encrypted(source, 'books under rights management cannot be read')
        }
      },
    },
  )
}

function packagePath(archive: Archive, source: string): string {
  const bytes = archive.file(CONTAINER)
  let path: string | undefined
  if (bytes) {
    parseXml(
      bytes,
      { source, part: CONTAINER },
      {
        open(name, attributes) {
          if (name === 'rootfile') path ??= attributes['full-path']
        },
      },
    )
  }
  if (path === undefined) throw damaged(source, 'it names no package of the book')
  return path
}

function readPackage(archive: Archive, path: string, source: string): Package {
  const bytes = archive.file(path)
  if (!bytes) throw damaged(source, `its package ${path} is missing`)
  const items = new Map<string, PackageItem>()
  const order: string[] = []
  let title = ''
  let inTitle = false
  parseXml(
    bytes,
    { source, part: path },
    {
      open(name, { id, href, idref, 'media-type': type = '', properties = '' }) {
        if (name === 'item' && id && href) items.set(id, { path: resolve(path, href), type, properties })
        else if (name === 'itemref' && idref) order.push(idref)
        else if (name === 'title') inTitle = title === ''
      },
      close(name) {
        if (name === 'title') inTitle = false
      },
      text(text) {
        if (inTitle) title += text
      },
    },
  )
  const spine = order.flatMap((id) => items.get(id) ?? []).filter(({ type }) => /html|xml/.test(type))
  return { title: title.trim() || undefined, items: [...items.values()], spine }
}

/** Titles by the path of their chapter, from the navigation document (EPUB 3) or the NCX (EPUB 2). */
async function chapterTitles(archive: Archive, { items }: Package, source: string): Promise<Map<string, string>> {
  const titles = new Map<string, string>()
  const put = (from: string, href: string, title: string): void => {
    const path = resolve(from, href)
    const clean = title.replace(/\s+/g, ' ').trim()
    if (clean !== '' && !titles.has(path)) titles.set(path, clean)
  }
  const nav = items.find(({ properties }) => properties.split(' ').includes('nav'))
  const navBytes = nav && archive.file(nav.path)
  if (nav && navBytes) {
    const document = await parseHtml(xhtmlToHtml(decodeXml(navBytes)), source)
    for (const link of document.querySelectorAll('nav a')) put(nav.path, link.getAttribute('href') ?? '', link.textContent ?? '')
  }
  const ncx = items.find(({ type }) => type === 'application/x-dtbncx+xml')
  const ncxBytes = titles.size === 0 && ncx ? archive.file(ncx.path) : undefined
  if (ncx && ncxBytes) readNcx(ncxBytes, { source, part: ncx.path }, (href, title) => put(ncx.path, href, title))
  return titles
}

function readNcx(
  bytes: Uint8Array,
  where: { readonly source: string; readonly part: string },
  put: (href: string, title: string) => void,
): void {
  let label = ''
  let inLabel = false
  parseXml(bytes, where, {
    open(name, { src }) {
      if (name === 'navLabel') label = ''
      if (name === 'text') inLabel = true
      if (name === 'content' && src) put(src, label)
    },
    close(name) {
      if (name === 'text') inLabel = false
    },
    text(text) {
      if (inLabel) label += text
    },
  })
}

/** The path of a link in the archive, without its fragment. */
function resolve(from: string, href: string): string {
  const [path = ''] = href.split('#')
  return posix.join(posix.dirname(from), decode(path))
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
