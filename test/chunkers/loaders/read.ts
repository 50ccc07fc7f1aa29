import { expect } from 'vitest'
import { type Document, documentFromBytes, type DocumentFromBytesOptions } from '../../../chunkers/index.ts'
import { DocumentError } from '../../../errors/index.ts'

type Options = Omit<DocumentFromBytesOptions, 'name'>

/** Reads the bytes or the text of a file. */
export function read(content: Uint8Array | string, name: string, options: Options = {}): Promise<Document> {
  return documentFromBytes(typeof content === 'string' ? Buffer.from(content) : content, { name, ...options })
}

/** The error that a file is refused with. */
export async function refusal(content: Uint8Array | string, name = 'file', options: Options = {}): Promise<DocumentError> {
  const error: unknown = await read(content, name, options).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(DocumentError)
  return error as DocumentError
}

/** The texts of the marks of a type, with their values. */
export function marked(document: Document, type: string): (readonly [text: string, value: string | undefined])[] {
  return document.marks.filter((mark) => mark.type === type).map(({ start, end, value }) => [document.slice(start, end), value])
}

/** Every span of a document is one of its text. */
export function expectSound(document: Document): void {
  const boxes = document.pages.flatMap((page) => page.boxes ?? [])
  for (const { start, end } of [...document.sections, ...document.pages, ...document.marks, ...boxes]) {
    expect(document.slice(start, end)).toBe(document.text.slice(start, end))
  }
  expect(document.text).not.toMatch(/\p{Surrogate}/u)
}
