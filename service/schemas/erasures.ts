import { z } from '@hono/zod-openapi'
import type { ErasureFinding } from '../../memory/index.ts'
import type { ErasureReceipt } from '../../workflows/index.ts'
import type { ErasureWish } from '../core/user-erasure.ts'
import { idSchema } from './common.ts'

const turnId = z.string().regex(/^[\w.~:@+=/-]{1,256}$/)
const MOST = 1_000

export const erasureWish: z.ZodType<ErasureWish> = z
  .union([
    z.strictObject({ everything: z.literal(true) }),
    z
      .strictObject({
        threads: z.array(idSchema).max(MOST).optional(),
        documents: z.array(idSchema).max(MOST).optional(),
        turns: z
          .array(z.strictObject({ thread: idSchema, turn: turnId }))
          .max(MOST)
          .optional(),
        facts: z
          .array(z.string().regex(/^[\w.:-]{1,128}$/))
          .max(MOST)
          .optional(),
      })
      .refine((wish) => Object.values(wish).some((ids) => ids !== undefined && ids.length > 0), { error: 'must name something' }),
  ])
  .openapi('ErasureWish')

export interface Finding {
  readonly holder: string
  readonly counts: Record<string, number>
  /** SHA-256 over ids and texts, hexadecimal. */
  readonly hash: string
}

const findingSchema: z.ZodType<Finding> = z
  .object({ holder: z.string(), counts: z.record(z.string(), z.number()), hash: z.string() })
  .openapi('ErasureFinding')

export function findingOf({ holder, counts, hash }: ErasureFinding): Finding {
  return { holder, counts: { ...counts }, hash }
}

export interface Preview {
  readonly findings: Finding[]
  /** Confirms the erasure of just that. */
  readonly token: string
}

export const previewSchema: z.ZodType<Preview> = z.object({ findings: z.array(findingSchema), token: z.string() }).openapi('ErasurePreview')

export interface ConfirmBody {
  readonly token: string
}

export const confirmBody: z.ZodType<ConfirmBody> = z.strictObject({ token: z.string().min(1).max(1_000_000) }).openapi('ConfirmErasure')

/** What went, and how it was made sure of. */
export interface Receipt {
  readonly id: string
  readonly createdAt: number
  readonly erased: Finding[]
  /** Whether holders, files and searches hold nothing of it any more. */
  readonly verified: boolean
  readonly scan: {
    readonly files: number
    readonly bytes: number
    readonly contents: number
    readonly tooShort: number
    readonly found: number
  }
  readonly searches: { readonly searches: number; readonly found: number }
}

export const receiptSchema: z.ZodType<Receipt> = z
  .object({
    id: z.string(),
    createdAt: z.number(),
    erased: z.array(findingSchema),
    verified: z.boolean(),
    scan: z.object({ files: z.number(), bytes: z.number(), contents: z.number(), tooShort: z.number(), found: z.number() }),
    searches: z.object({ searches: z.number(), found: z.number() }),
  })
  .openapi('ErasureReceipt')

export function receiptOf({ id, createdAt, erased, verified, scan, searches }: ErasureReceipt): Receipt {
  const { files, bytes, contents, tooShort, found } = scan
  return {
    id,
    createdAt,
    erased: erased.map(findingOf),
    verified,
    scan: { files, bytes, contents, tooShort, found: found.length },
    searches: { searches: searches.searches, found: searches.found },
  }
}
