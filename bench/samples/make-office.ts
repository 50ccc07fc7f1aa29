import { strToU8, zipSync } from 'fflate'

/** A ZIP archive of texts. */
export function archive(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const bytes = zipSync(
    Object.fromEntries(Object.entries(files).map(([name, file]) => [name, typeof file === 'string' ? strToU8(file) : file])),
  )
  return Buffer.from(bytes)
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'

function relations(targets: Readonly<Record<string, readonly [type: string, target: string]>>): string {
  const list = Object.entries(targets).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`,
  )
  return `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list.join('')}</Relationships>`
}

/** A Word document of the XML of its body. */
export function makeDocx(body: string): Buffer {
  return archive({
    '[Content_Types].xml': `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>`,
    '_rels/.rels': relations({ r1: ['officeDocument', 'word/document.xml'] }),
    'word/_rels/document.xml.rels': relations({ r1: ['styles', 'styles.xml'] }),
    'word/styles.xml': `${XML}<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style><w:style w:type="paragraph" w:styleId="Heading2"><w:name w:val="heading 2"/></w:style></w:styles>`,
    'word/document.xml': `${XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
  })
}

/** A paragraph of a Word document. */
export function paragraph(text: string, { style = '', bold = false }: { readonly style?: string; readonly bold?: boolean } = {}): string {
  const properties = style === '' ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`
  return `<w:p>${properties}<w:r>${bold ? '<w:rPr><w:b/></w:rPr>' : ''}<w:t xml:space="preserve">${text}</w:t></w:r></w:p>`
}

/** A table of a Word document. */
export function wordTable(rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string => row.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join('')
  return `<w:tbl>${rows.map((row, at) => `<w:tr>${at === 0 ? '<w:trPr><w:tblHeader/></w:trPr>' : ''}${cells(row)}</w:tr>`).join('')}</w:tbl>`
}

export interface Slide {
  readonly title: string
  readonly body: readonly string[]
  readonly notes?: string
  readonly table?: readonly (readonly string[])[]
}

const SLIDE_NAMES =
  'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'

/** A presentation; its slides lie in the archive in the opposite order. */
export function makePptx(slides: readonly Slide[]): Buffer {
  const files: Record<string, string> = {}
  const targets: Record<string, readonly [string, string]> = {}
  slides.forEach(({ title, body, notes, table }, at) => {
    const name = `slide${slides.length - at}`
    targets[`rId${at + 1}`] = ['slide', `slides/${name}.xml`]
    files[`ppt/slides/${name}.xml`] =
      `${XML}<p:sld ${SLIDE_NAMES}>${shape('title', [title])}${shape('body', body)}${frame(table)}${shape('sldNum', [String(at + 1)])}</p:sld>`
    if (notes === undefined) return
    files[`ppt/slides/_rels/${name}.xml.rels`] = relations({ n: ['notesSlide', `../notesSlides/${name}.xml`] })
    files[`ppt/notesSlides/${name}.xml`] = `${XML}<p:notes ${SLIDE_NAMES}>${shape('body', [notes])}</p:notes>`
  })
  const ids = slides.map((_, at) => `<p:sldId id="${256 + at}" r:id="rId${at + 1}"/>`).join('')
  return archive({
    ...files,
    'ppt/presentation.xml': `${XML}<p:presentation ${SLIDE_NAMES} xmlns:r="${OFFICE}"><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relations(targets),
  })
}

function shape(placeholder: string, paragraphs: readonly string[]): string {
  const body = paragraphs.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join('')
  return `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${placeholder}"/></p:nvPr></p:nvSpPr><p:txBody>${body}</p:txBody></p:sp>`
}

function frame(table: Slide['table']): string {
  if (!table) return ''
  const cell = (text: string): string => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`
  return `<p:graphicFrame><a:tbl>${table.map((row) => `<a:tr>${row.map(cell).join('')}</a:tr>`).join('')}</a:tbl></p:graphicFrame>`
}

/** An e-book of chapters in XHTML, by file name; with a table of contents where titles are given. */
export function makeEpub(chapters: Readonly<Record<string, string>>, titles: Readonly<Record<string, string>> = {}): Buffer {
  const items = Object.keys(chapters)
    .map((name, at) => `<item id="c${at}" href="${name}" media-type="application/xhtml+xml"/>`)
    .join('')
  const links = Object.entries(titles).map(([name, title]) => `<li><a href="${name}">${title}</a></li>`)
  return archive({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': `${XML}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
    'OEBPS/book.opf': `${XML}<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The Whale</dc:title></metadata><manifest>${items}<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest><spine>${Object.keys(
      chapters,
    )
      .map((_, at) => `<itemref idref="c${at}"/>`)
      .join('')}</spine></package>`,
    'OEBPS/nav.xhtml': `<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>${links.join('')}</ol></nav></body></html>`,
    ...Object.fromEntries(
      Object.entries(chapters).map(([name, body]) => [
        `OEBPS/${name}`,
        `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${body}</body></html>`,
      ]),
    ),
  })
}

/** A workbook of one sheet, of the texts of its cells by their names. */
export function makeXlsx(cells: Readonly<Record<string, string>>): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const rows = new Map<string, string[]>()
  for (const [name, text] of Object.entries(cells)) {
    const row = /\d+/.exec(name)![0]
    if (!rows.has(row)) rows.set(row, [])
    rows.get(row)!.push(`<c r="${name}" t="inlineStr"><is><t>${text}</t></is></c>`)
  }
  const data = [...rows].map(([row, list]) => `<row r="${row}">${list.join('')}</row>`).join('')
  return archive({
    '[Content_Types].xml': `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
    '_rels/.rels': relations({ r1: ['officeDocument', 'xl/workbook.xml'] }),
    'xl/_rels/workbook.xml.rels': relations({ r1: ['worksheet', 'worksheets/sheet1.xml'] }),
    'xl/workbook.xml': `${XML}<workbook xmlns="${main}" xmlns:r="${OFFICE}"><sheets><sheet name="Sheet" sheetId="1" r:id="r1"/></sheets></workbook>`,
    'xl/worksheets/sheet1.xml': `${XML}<worksheet xmlns="${main}"><dimension ref="A1:XFD1048576"/><sheetData>${data}</sheetData></worksheet>`,
  })
}
