import { z } from '@hono/zod-openapi'
import type { MemoryRecord } from '../../memory/index.ts'
import type { KeptDocument } from '../core/user-documents.ts'
import { localId } from '../core/resource-ids.ts'
import { idSchema, type Parameters } from './common.ts'

export interface StoredDocument {
  readonly id: string
  readonly name: string
  readonly title?: string | undefined
  /** SHA-256 of its text, hexadecimal. */
  readonly hash: string
  readonly passages: number
}

export const documentSchema: z.ZodType<StoredDocument> = z
  .object({ id: z.string(), name: z.string(), title: z.string().optional(), hash: z.string(), passages: z.number().int() })
  .openapi('Document')

export function storedDocument({ documentId, name, title, hash, passages }: KeptDocument): StoredDocument {
  return { id: documentId, name, title, hash, passages }
}

export interface DocumentList {
  readonly items: StoredDocument[]
  readonly nextCursor?: string | undefined
}

export const documentListSchema: z.ZodType<DocumentList> = z
  .object({ items: z.array(documentSchema), nextCursor: z.string().optional() })
  .openapi('DocumentList')

/** A passage with where it stands. */
export interface StoredPassage {
  readonly id: string
  readonly index: number
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** Titles of the sections that hold it, outermost first. */
  readonly sections: string[]
  /** Line of its start, from 1. */
  readonly line?: number | undefined
  readonly page?: number | undefined
  /** Where to look, such as `p. 12`. */
  readonly place?: string | undefined
}

const passageSchema: z.ZodType<StoredPassage> = z
  .object({
    id: z.string(),
    index: z.number().int(),
    start: z.number().int(),
    end: z.number().int(),
    text: z.string(),
    sections: z.array(z.string()),
    line: z.number().optional(),
    page: z.number().optional(),
    place: z.string().optional(),
  })
  .openapi('Passage')

export function storedPassage({ id, index, start, end, text, metadata = {} }: MemoryRecord): StoredPassage {
  const { sections, line, page, place } = metadata
  return {
    id: localId(id),
    index,
    start,
    end,
    text,
    sections: Array.isArray(sections) ? sections.map(String) : [],
    line: typeof line === 'number' ? line : undefined,
    page: typeof page === 'number' ? page : undefined,
    place: typeof place === 'string' ? place : undefined,
  }
}

export interface PassageList {
  readonly items: StoredPassage[]
  readonly nextCursor?: string | undefined
}

export const passageListSchema: z.ZodType<PassageList> = z
  .object({ items: z.array(passageSchema), nextCursor: z.string().optional() })
  .openapi('PassageList')

export const documentParams: Parameters<{ document: string }> = z.object({ document: idSchema })

/** An upload: the file itself and no address of one. */
export interface UploadForm {
  readonly file: File
  readonly id?: string | undefined
}

export const uploadForm: z.ZodType<UploadForm> = z.object({
  file: z.instanceof(File).openapi({ type: 'string', format: 'binary' }),
  id: idSchema.optional(),
})
