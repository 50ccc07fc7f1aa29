import type { DocumentInterface } from '@langchain/core/documents'
import { createDocument, type Document } from '../chunkers/index.ts'

/** A document of LangChain as one of ours: its name is the `source` of its metadata, else its id, else its place. */
export function fromDocument(document: DocumentInterface, place = 0): Document {
  const { pageContent: text, metadata, id } = document
  const { source, title }: { source?: unknown; title?: unknown } = metadata
  const name = typeof source === 'string' && source !== '' ? source : (id ?? `document ${place + 1}`)
  return createDocument({ text, name, ...(typeof title === 'string' && { title }) })
}

export function isLangChainDocument(value: unknown): value is DocumentInterface {
  return typeof value === 'object' && value !== null && 'pageContent' in value
}
