/** Text to draw on a page: points from the bottom left corner. */
export interface DrawnText {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size?: number
  readonly font?: 'serif' | 'mono'
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

/** Writes a PDF of text in the standard fonts, uncompressed (ISO 32000-1, 7.5); letters beyond Latin-1 are not for it. */
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
  const resources = `<</Font<</serif ${serif} 0 R/mono ${mono} 0 R>>/XObject<</scan ${picture} 0 R>>>>`
  const kids = pages.map((page) => {
    const content = add(stream('', contentOf(page)))
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

function contentOf({ texts = [], picture = false }: PdfPage): string {
  const drawn = texts.map(({ text, x, y, size = 11, font = 'serif' }) => `BT /${font} ${size} Tf ${x} ${y} Td (${escape(text)}) Tj ET`)
  return [...(picture ? [`q ${PAGE.width} 0 0 ${PAGE.height} 0 0 cm /scan Do Q`] : []), ...drawn].join('\n')
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
