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
  /** Of a page written from top to bottom, turned so that its columns are rows: x counts from the top, y from the right edge. */
  readonly items: readonly PageItem[]
  /** Whether most of it is written from top to bottom, in columns from the right. */
  readonly vertical: boolean
  /** Text that is turned on its side, such as a stamp in the margin, or that runs across the direction of the page. */
  readonly turned: readonly string[]
}

/** Ligatures, and letters of Arabic in the form that they have beside others: fonts have them, words are not searched by them. */
const PRESENTATION_FORMS = /[\uFB00-\uFB4F\uFB50-\uFDFF\uFE70-\uFEFC]+/g

/** Letters of scripts whose letters are of one width or whose direction is not that of code: a font of one width makes no code of them. */
const NO_CODE = /[^\P{L}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u

/** Reads the text of a page with its places. */
export async function readPage(page: PDFPageProxy): Promise<PageText> {
  const { width, height, transform } = page.getViewport({ scale: 1 })
  const content = await page.getTextContent({ includeMarkedContent: false })
  const across: PageItem[] = []
  const down: PageItem[] = []
  const turned: string[] = []
  for (const item of content.items) {
    if (!('str' in item) || item.str.trim() === '') continue
    const text = item.str.replace(PRESENTATION_FORMS, (forms) => forms.normalize('NFKC'))
    const [a, b, c, d, x, y] = multiply(toMatrix(transform), toMatrix(item.transform))
    const size = Math.hypot(c, d)
    if (size < 1) continue
    const style = content.styles[item.fontName]
    // More than ten degrees off the horizontal.
    if (Math.abs(b) > 0.18 * Math.abs(a)) turned.push(text.trim())
    else if (style?.vertical) down.push({ text, x: y, y: width - x, width: item.height, size, mono: false, rtl: false })
    else {
      const mono = style?.fontFamily === 'monospace' && !NO_CODE.test(text)
      across.push({ text, x, y, width: item.width, size, mono, rtl: item.dir === 'rtl' })
    }
  }
  const vertical = lettersOf(down) > lettersOf(across)
  const others = (vertical ? across : down).map(({ text }) => text.trim())
  return { width, height, items: vertical ? down : across, vertical, turned: [...turned, ...others] }
}

function lettersOf(items: readonly PageItem[]): number {
  return items.reduce((sum, { text }) => sum + text.length, 0)
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
