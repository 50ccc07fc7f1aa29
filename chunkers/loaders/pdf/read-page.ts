import type { PDFPageProxy } from 'pdfjs-dist/types/src/display/api.js'

/** A piece of text as a page draws it. Points from the top left corner. */
export interface PageItem {
  readonly text: string
  readonly x: number
  /** Of the baseline. */
  readonly y: number
  readonly width: number
  /** Font size. */
  readonly size: number
  /** In a font of one width. */
  readonly mono: boolean
  readonly rtl: boolean
}

export interface PageText {
  readonly width: number
  readonly height: number
  readonly items: readonly PageItem[]
  /** Text that is turned on its side, such as a stamp in the margin. */
  readonly turned: readonly string[]
}

/** Reads the text of a page with its places. */
export async function readPage(page: PDFPageProxy): Promise<PageText> {
  const { width, height, transform } = page.getViewport({ scale: 1 })
  const content = await page.getTextContent({ includeMarkedContent: false })
  const items: PageItem[] = []
  const turned: string[] = []
  for (const item of content.items) {
    if (!('str' in item) || item.str.trim() === '') continue
    const [a, b, c, d, x, y] = multiply(toMatrix(transform), toMatrix(item.transform))
    const size = Math.hypot(c, d)
    if (size < 1) continue
    // More than ten degrees off the horizontal.
    if (Math.abs(b) > 0.18 * Math.abs(a)) {
      turned.push(item.str.trim())
      continue
    }
    const mono = content.styles[item.fontName]?.fontFamily === 'monospace'
    items.push({ text: item.str, x, y, width: item.width, size, mono, rtl: item.dir === 'rtl' })
  }
  return { width, height, items, turned }
}

type Matrix = readonly [number, number, number, number, number, number]

function toMatrix([a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: readonly number[]): Matrix {
  return [a, b, c, d, e, f]
}

/** Product of two affine transforms, as PDF writes them. */
function multiply(p: Matrix, q: Matrix): Matrix {
  return [
    p[0] * q[0] + p[2] * q[1],
    p[1] * q[0] + p[3] * q[1],
    p[0] * q[2] + p[2] * q[3],
    p[1] * q[2] + p[3] * q[3],
    p[0] * q[4] + p[2] * q[5] + p[4],
    p[1] * q[4] + p[3] * q[5] + p[5],
  ]
}
