import type { Mark, Page, Section } from '../document.ts'

/** What a loader makes of a source: plain data, so that it can cross threads. */
export interface LoadedText {
  readonly text: string
  readonly title?: string | undefined
  /** Absent: headings are looked for in the text. */
  readonly sections?: readonly Section[]
  readonly pages?: readonly Page[]
  readonly marks?: readonly Mark[]
  readonly notes?: readonly string[]
}

/** A page that is a picture, for an OCR hook. */
export interface ScannedPage {
  /** Path or label of the document. */
  readonly source: string
  /** From 1. */
  readonly number: number
  /** Size in points. */
  readonly width: number
  readonly height: number
  /** The pictures on the page, largest first, as rows of RGBA bytes from the top left corner. */
  readonly images: readonly { readonly width: number; readonly height: number; readonly data: Uint8Array }[]
}

/** What a loader may use. */
export interface LoadContext {
  /** Path or label, for messages. */
  readonly source: string
  /** Most bytes that a compressed source may become. */
  readonly maxBytes: number
  /** Opens an encrypted PDF. */
  readonly password?: string
  /** Gives the text of a scanned page. */
  readonly ocr?: (page: ScannedPage) => Promise<string>
}

/** Reads one format. Throws a DocumentError for what it refuses. */
export type Loader = (bytes: Uint8Array, context: LoadContext) => LoadedText | Promise<LoadedText>
