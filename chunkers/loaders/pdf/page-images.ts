import type { PDFPageProxy } from 'pdfjs-dist/types/src/display/api.js'
import type { ScannedPage } from '../loaded-text.ts'

/** An image as pdf.js decodes it. */
interface Image {
  readonly width: number
  readonly height: number
  /** 1: one bit, grey; 2: three bytes; 3: four bytes a pixel. */
  readonly kind: number
  readonly data: Uint8Array
}

/** Operators that paint an image (pdf.js `OPS`). */
interface PaintOperators {
  readonly paintImageXObject: number
  readonly paintInlineImageXObject: number
  readonly paintImageMaskXObject: number
}

/** Larger images are not handed on. */
const MOST_PIXELS = 100_000_000

/** Whether a page paints images, and those images, largest first, when they are asked for. */
export async function pageImages(
  page: PDFPageProxy,
  operators: PaintOperators,
  withData: boolean,
): Promise<{ readonly count: number; readonly images: ScannedPage['images'] }> {
  const { fnArray, argsArray } = await page.getOperatorList()
  const images: Image[] = []
  let count = 0
  for (const [at, operator] of fnArray.entries()) {
    const [first] = (argsArray[at] ?? []) as readonly unknown[]
    if (operator === operators.paintImageXObject) {
      count++
      const image = withData && typeof first === 'string' ? await objectOf(page, first) : undefined
      if (image) images.push(image)
    } else if (operator === operators.paintInlineImageXObject) {
      count++
      if (withData && isImage(first)) images.push(first)
    } else if (operator === operators.paintImageMaskXObject) count++
  }
  const large = images
    .filter(({ width, height }) => width * height <= MOST_PIXELS)
    .toSorted((a, b) => b.width * b.height - a.width * a.height)
  return { count, images: large.map((image) => ({ width: image.width, height: image.height, data: toRgba(image) })) }
}

function objectOf(page: PDFPageProxy, id: string): Promise<Image | undefined> {
  const objects = (id.startsWith('g_') ? page.commonObjs : page.objs) as { get(id: string, callback: (value: unknown) => void): unknown }
  return new Promise((resolve) => {
    objects.get(id, (value) => resolve(isImage(value) ? value : undefined))
  })
}

function isImage(value: unknown): value is Image {
  return typeof value === 'object' && value !== null && 'data' in value && 'kind' in value && value.data !== null
}

function toRgba({ width, height, kind, data }: Image): Uint8Array {
  if (kind === 3) return new Uint8Array(data)
  const rgba = new Uint8Array(width * height * 4).fill(255)
  const stride = (width + 7) >> 3
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (kind === 2) rgba.set(data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4)
    else {
      const [x, y] = [pixel % width, Math.floor(pixel / width)]
      const white = (data[y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1
      rgba.fill(white * 255, pixel * 4, pixel * 4 + 3)
    }
  }
  return rgba
}
