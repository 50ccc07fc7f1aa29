/** Whose memory an agent may reach: said by whoever calls it, never by a model or a message. */
import { z } from 'zod'

export interface MemoryScope {
  /** Who it belongs to: nobody sees another user's memory. */
  readonly user: string
  /** The conversation. */
  readonly thread: string
}

const NO_SCOPE = 'Cannot reach the memory as the call has no scope. Pass context: { scope: { user, thread } }'

type ScopeFields = z.ZodObject<{ user: z.ZodString; thread: z.ZodString }>

const scopeFields: ScopeFields = z.object(
  { user: z.string({ error: NO_SCOPE }).min(1, { error: NO_SCOPE }), thread: z.string({ error: NO_SCOPE }).min(1, { error: NO_SCOPE }) },
  { error: NO_SCOPE },
)

/** Context of a call that must name a scope. */
export type ScopeContext = z.ZodObject<{ scope: ScopeFields }>
export const scopeContext: ScopeContext = z.object({ scope: scopeFields })

/** Context of a call that may name one. */
export type OptionalScopeContext = z.ZodObject<{ scope: z.ZodOptional<ScopeFields> }>
export const optionalScopeContext: OptionalScopeContext = z.object({ scope: scopeFields.optional() })

/** @throws TypeError when there is none */
export function scopeOf(context: { readonly scope?: MemoryScope | undefined } | undefined): MemoryScope {
  const scope = context?.scope
  if (scope === undefined || !scope.user || !scope.thread) throw new TypeError(NO_SCOPE)
  return scope
}
