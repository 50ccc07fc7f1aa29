/** What the wire formats of several resources share. */
import { z } from '@hono/zod-openapi'
import { MAX_USER, USER_HEADER } from '../http/access.ts'
import { badRequest } from '../http/problem.ts'

/** Schema of the parts of a path, a query or headers: an object, each of whose values is a parameter. */
export type Parameters<Values> = z.ZodObject<{ [Name in keyof Values]: z.ZodType<Values[Name]> }>

/** Ids that callers choose: they stand in paths, and name no files. */
export const idSchema: z.ZodType<string> = z
  .string()
  .regex(/^[\w.~:@+=-]{1,128}$/, { error: 'must have 1 to 128 letters, digits or . _ ~ : @ + = -' })

/** Longest text that is taken in one piece, in UTF-16 code units. */
export const MAX_TEXT = 100_000

/** A text with some words. */
export const textSchema: z.ZodType<string> = z
  .string()
  .min(1)
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== '', { error: 'must not be empty' })

/** Milliseconds since 1970. */
export const timeSchema: z.ZodType<number> = z.number().int().min(0).max(8_640_000_000_000_000)

/** What a caller keeps with a record: at most 16 KiB as JSON. */
export const metadataSchema: z.ZodType<Record<string, unknown>> = z
  .record(z.string().max(64), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 16_384, { error: 'must have at most 16384 characters as JSON' })

/** Of requests that speak for a user. */
export const ownerHeaders: Parameters<{ 'scriptorium-user': string | undefined }> = z.object({
  [USER_HEADER]: z.string().min(1).max(MAX_USER).optional().openapi({ description: 'The user whom the key of a tenant speaks for' }),
})

/** Of requests that may be sent again: what was done is not done twice. */
export const idempotentHeaders: Parameters<{ 'scriptorium-user': string | undefined; 'idempotency-key': string | undefined }> = z.object({
  [USER_HEADER]: z.string().min(1).max(MAX_USER).optional(),
  'idempotency-key': z
    .string()
    .regex(/^[\w.~:@+=-]{1,100}$/)
    .optional()
    .openapi({ description: 'Names what is written, where it has no id of its own: sent again, it is written once' }),
})

export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string | undefined
  readonly instance?: string | undefined
  readonly errors?: { readonly pointer: string; readonly detail: string }[] | undefined
}

export const problemSchema: z.ZodType<ProblemDetails> = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem')

export interface PageQuery {
  readonly limit: number
  readonly cursor: string | undefined
}

export const pageQuery: Parameters<PageQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
})

/** A place in a list, as an opaque text. */
export function encodeCursor(place: string | number): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws Problem for a cursor that no list gave */
export function decodeCursor<Type extends 'string' | 'number'>(
  cursor: string | undefined,
  type: Type,
): (Type extends 'string' ? string : number) | undefined {
  if (cursor === undefined) return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (type === 'string' ? typeof place === 'string' : Number.isSafeInteger(place)) return place as Type extends 'string' ? string : number
  } catch {
    // told below
  }
  throw badRequest('The cursor is not one that a list gave', [{ pointer: '/cursor', detail: 'is not a cursor' }])
}

/** Cuts a page from one item more than it may hold, which says whether there is a next one. */
export function pageOf<T>(found: readonly T[], limit: number, placeOf: (item: T) => string | number): { items: T[]; nextCursor?: string } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, nextCursor: encodeCursor(placeOf(last)) } : { items }
}

/** A response of JSON, as a route declares it. */
export function jsonOf<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
): { description: string; content: { 'application/json': { schema: Schema } } } {
  return { description, content: { 'application/json': { schema } } }
}

/** A required body of JSON, as a route declares it. */
export function bodyOf<Schema extends z.ZodType>(schema: Schema): { required: true; content: { 'application/json': { schema: Schema } } } {
  return { required: true, content: { 'application/json': { schema } } }
}

/** Every route may answer with a problem. */
export const problems: {
  default: { description: string; content: { 'application/problem+json': { schema: z.ZodType<ProblemDetails> } } }
} = {
  default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problemSchema } } },
}
