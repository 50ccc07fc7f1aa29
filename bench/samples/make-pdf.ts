/** Text to draw on a page: points from the bottom left corner. */
export interface DrawnText {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size?: number
  /** `chinese` and `vertical` are fonts of a predefined encoding (ISO 32000-1, 9.7.5.2); `unicode` has a glyph for everything, half as wide as high. */
  readonly font?: 'serif' | 'mono' | 'chinese' | 'vertical' | 'unicode'
  /** In place of `text`, in the order in which they are drawn, for `unicode`: what each glyph stands for, such as `fi`. */
  readonly glyphs?: readonly string[]
}

export interface PdfPage {
  readonly texts?: readonly DrawnText[]
  /** Draws a picture over the page, as a scan does. */
  readonly picture?: boolean
}

export interface PdfOptions {
  readonly outline?: readonly { readonly title: string; readonly page: number }[]
  readonly title?: string
}

/** Width and height of the pages, in points. */
export const PAGE = { width: 612, height: 792 }

/** Writes a PDF, uncompressed (ISO 32000-1, 7.5). The standard fonts are for letters of Latin-1; no font is embedded. */
export function makePdf(pages: readonly PdfPage[], { outline = [], title }: PdfOptions = {}): Buffer {
  const objects: string[] = []
  const add = (body: string): number => objects.push(body)
  const catalog = add('')
  const tree = add('')
  const serif = add('<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding/WinAnsiEncoding>>')
  const mono = add('<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>')
  const picture = add(
    stream('/Type/XObject/Subtype/Image/Width 2/Height 2/ColorSpace/DeviceGray/BitsPerComponent 8', '\u0000\u00ff\u00ff\u0000'),
  )
  const glyphs = glyphNumbers(pages)
  const chinese = add(compositeFont('STSong-Light', 'UniGB-UCS2-H', 'GB1', 1000))
  const vertical = add(compositeFont('STSong-Light', 'UniGB-UCS2-V', 'GB1', 1000))
  const toUnicode = add(stream('', unicodeMap(glyphs)))
  const unicode = add(compositeFont('Sans', 'Identity-H', 'Identity', 500, `/ToUnicode ${toUnicode} 0 R`))
  const fonts = `/serif ${serif} 0 R/mono ${mono} 0 R/chinese ${chinese} 0 R/vertical ${vertical} 0 R/unicode ${unicode} 0 R`
  const resources = `<</Font<<${fonts}>>/XObject<</scan ${picture} 0 R>>>>`
  const kids = pages.map((page) => {
    const content = add(stream('', contentOf(page, glyphs)))
    return add(
      `<</Type/Page/Parent ${tree} 0 R/MediaBox[0 0 ${PAGE.width} ${PAGE.height}]/Resources ${resources}/Contents ${content} 0 R>>`,
    )
  })
  objects[tree - 1] = `<</Type/Pages/Count ${kids.length}/Kids[${kids.map((kid) => `${kid} 0 R`).join(' ')}]>>`
  const root = outline.length === 0 ? '' : `/Outlines ${addOutline(outline, kids, add, objects)} 0 R`
  objects[catalog - 1] = `<</Type/Catalog/Pages ${tree} 0 R${root}>>`
  const info = title === undefined ? '' : `/Info ${add(`<</Title(${escape(title)})>>`)} 0 R`
  return toFile(objects, `/Root ${catalog} 0 R${info}`)
}

/** A PDF of one page whose content is as it is given: Latin-1, and entries of its dictionary such as filters. */
export function withContent(content: string, entries: string): Buffer {
  return toFile(
    [
      '<</Type/Catalog/Pages 2 0 R>>',
      '<</Type/Pages/Count 1/Kids[3 0 R]>>',
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${PAGE.width} ${PAGE.height}]/Contents 4 0 R>>`,
      stream(entries, content),
    ],
    '/Root 1 0 R',
  )
}

function contentOf({ texts = [], picture = false }: PdfPage, glyphs: ReadonlyMap<string, number>): string {
  const drawn = texts.map((text) => {
    const { x, y, size = 11, font = 'serif' } = text
    return `BT /${font} ${size} Tf ${x} ${y} Td ${shown(text, glyphs)} Tj ET`
  })
  return [...(picture ? [`q ${PAGE.width} 0 0 ${PAGE.height} 0 0 cm /scan Do Q`] : []), ...drawn].join('\n')
}

function shown(drawn: DrawnText, glyphs: ReadonlyMap<string, number>): string {
  const { text, font } = drawn
  if (font === 'unicode') return hex(glyphsOf(drawn).map((glyph) => glyphs.get(glyph) ?? 0))
  if (font === 'chinese' || font === 'vertical') return hex(Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)))
  return `(${escape(text)})`
}

function glyphsOf({ text, glyphs }: DrawnText): readonly string[] {
  return glyphs ?? Array.from(text)
}

function hex(units: readonly number[]): string {
  return `<${units.map((unit) => unit.toString(16).padStart(4, '0')).join('')}>`
}

/** Numbers from 1 for all that is drawn in the font that has everything. */
function glyphNumbers(pages: readonly PdfPage[]): Map<string, number> {
  const drawn = pages.flatMap(({ texts = [] }) => texts.filter(({ font }) => font === 'unicode').flatMap(glyphsOf))
  return new Map([...new Set(drawn)].map((glyph, at) => [glyph, at + 1]))
}

/** A font of two-byte codes (ISO 32000-1, 9.7). */
function compositeFont(name: string, encoding: string, ordering: string, width: number, more = ''): string {
  const system = `/CIDSystemInfo<</Registry(Adobe)/Ordering(${ordering})/Supplement 0>>`
  const descriptor = `<</Type/FontDescriptor/FontName/${name}/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>`
  const descendant = `<</Type/Font/Subtype/CIDFontType0/BaseFont/${name}${system}/DW ${width}/FontDescriptor ${descriptor}>>`
  return `<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/${encoding}/DescendantFonts[${descendant}]${more}>>`
}

/** What each code stands for (ISO 32000-1, 9.10.3). */
function unicodeMap(glyphs: ReadonlyMap<string, number>): string {
  const rows = [...glyphs].map(
    ([glyph, at]) => `${hex([at])} ${hex(Array.from({ length: glyph.length }, (_, unit) => glyph.charCodeAt(unit)))}`,
  )
  const blocks = Array.from({ length: Math.ceil(rows.length / 100) }, (_, at) => rows.slice(at * 100, at * 100 + 100))
  return [
    '/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def',
    '1 begincodespacerange <0000> <FFFF> endcodespacerange',
    ...blocks.map((block) => `${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`),
    'endcmap end end',
  ].join('\n')
}

function addOutline(
  outline: NonNullable<PdfOptions['outline']>,
  kids: readonly number[],
  add: (body: string) => number,
  objects: string[],
): number {
  const root = add('')
  const entries = outline.map(() => add(''))
  outline.forEach(({ title, page }, at) => {
    const beside = `${at > 0 ? `/Prev ${entries[at - 1]} 0 R` : ''}${at + 1 < entries.length ? `/Next ${entries[at + 1]} 0 R` : ''}`
    objects[entries[at]! - 1] = `<</Title(${escape(title)})/Parent ${root} 0 R${beside}/Dest[${kids[page - 1]} 0 R/Fit]>>`
  })
  objects[root - 1] = `<</Type/Outlines/First ${entries[0]} 0 R/Last ${entries.at(-1)} 0 R/Count ${entries.length}>>`
  return root
}

function escape(text: string): string {
  return text.replace(/[\\()]/g, '\\$&')
}

function stream(dictionary: string, content: string): string {
  return `<<${dictionary}/Length ${content.length}>>\nstream\n${content}\nendstream`
}

function toFile(objects: readonly string[], trailer: string): Buffer {
  let file = '%PDF-1.4\n'
  const offsets = objects.map((body, at) => {
    const offset = file.length
    file += `${at + 1} 0 obj\n${body}\nendobj\n`
    return String(offset).padStart(10, '0')
  })
  const table = file.length
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${offset} 00000 n \n`).join('')}`
  file += `trailer\n<</Size ${objects.length + 1}${trailer}>>\nstartxref\n${table}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}

interface Lines extends Pick<DrawnText, 'size' | 'font'> {
  readonly x?: number
  readonly top?: number
  readonly pitch?: number
}

/** Lines under one another, for a page. */
export function lines(texts: readonly string[], options: Lines = {}): DrawnText[] {
  const { x = 72, top = 700, pitch = 13, size = 11, font = 'serif' } = options
  return texts.map((text, at) => ({ text, x, y: top - at * pitch, size, font }))
}
