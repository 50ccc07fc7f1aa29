import { DocumentError } from '../errors/index.ts'
import { createDocument } from './create-document.ts'
import type { Document, Mark, Page, Section } from './document.ts'

/** Raised when what is written changes. */
const VERSION = 1

/** A document as it is saved. */
export interface SavedDocument {
  readonly scriptoriumDocument: typeof VERSION
  readonly name: string
  readonly title?: string
  readonly format?: string
  readonly hash: string
  readonly text: string
  readonly sections: readonly Section[]
  readonly pages: readonly Page[]
  readonly marks: readonly Mark[]
  readonly notes: readonly string[]
}

/** A document as plain data, for `JSON.stringify`. */
export function saveDocument(document: Document): SavedDocument {
  const { name, title, format, hash, text, sections, pages, marks, notes } = document
  return {
    scriptoriumDocument: VERSION,
    name,
    ...(title === undefined ? {} : { title }),
    ...(format === undefined ? {} : { format }),
    hash,
    text,
    sections,
    pages,
    marks,
    notes,
  }
}

/**
 * The document again, from what `saveDocument` gave, parsed.
 *
 * @throws DocumentError `unsupported` when it is no saved document or of another version, `damaged` when it was changed
 */
export function restoreDocument(saved: unknown): Document {
  if (!isSaved(saved)) {
    throw new DocumentError(`Cannot restore a document as the value is none of version ${VERSION}: give what saveDocument gave`, {
      reason: 'unsupported',
      source: 'saved document',
    })
  }
  const document = create(saved)
  if (document?.hash === saved.hash) return document
  throw new DocumentError(`Cannot restore ${saved.name} as what was saved does not agree with its hash: read its source again`, {
    reason: 'damaged',
    source: saved.name,
  })
}

function create(saved: SavedDocument): Document | undefined {
  try {
    return createDocument(saved)
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) return undefined
    throw cause
  }
}

function isSaved(value: unknown): value is SavedDocument {
  if (!isRecord(value) || value['scriptoriumDocument'] !== VERSION) return false
  const { name, text, hash, title = '', format = '', notes, sections, pages, marks } = value
  return (
    [name, text, hash, title, format].every(isText) &&
    isListOf(notes, isText) &&
    isListOf(sections, (section) => isRecord(section) && isText(section['title'])) &&
    isListOf(
      pages,
      (page) => isRecord(page) && typeof page['number'] === 'number' && isText(page['kind']) && isText(page['label'] ?? ''),
    ) &&
    isListOf(marks, (mark) => isRecord(mark) && isText(mark['type']) && isText(mark['value'] ?? ''))
  )
}

/** Spans are looked at when the document is made. */
function isListOf(value: unknown, is: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
