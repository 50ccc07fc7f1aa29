import type { ByteTokenizer, ConstraintSpec } from '../attention/index.ts'
import { tokenSpans, wordEnds, wordStarts } from './token-spans.ts'

/** What a reply has to be: exactly one of these. The reply is never anything else, also where the token limit cuts it short. */
export type OutputConstraint =
  /** A JSON text that is valid by a JSON Schema (draft 2020-12), which is plain data. */
  | { readonly json: Readonly<Record<string, unknown>> | boolean }
  /** A text that a JavaScript regular expression matches as a whole; `flags` may hold i, s and u. */
  | { readonly regex: string; readonly flags?: string }
  /** One of these texts. */
  | { readonly choices: readonly string[] }
  /** A part of one of these texts, from the beginning of a word to the end of one. It may begin with the space before its first word. */
  | { readonly verbatim: readonly string[] }

const kinds = ['json', 'regex', 'choices', 'verbatim'] as const

/**
 * The constraint as it crosses to the worker: the sources of copies as tokens.
 *
 * @throws TypeError when it is none of the kinds, or more than one
 */
export function constraintSpec(constraint: OutputConstraint, tokenizer: ByteTokenizer): ConstraintSpec {
  const given = kinds.filter((kind) => kind in constraint)
  if (given.length !== 1)
    throw new TypeError(`Cannot constrain a reply as it needs one of ${kinds.join(', ')}: ${given.join(', ') || 'none'}`)
  if ('choices' in constraint && constraint.choices.length === 0)
    throw new TypeError('Cannot constrain a reply to choices as there are none')
  if (!('verbatim' in constraint)) return constraint
  return { verbatim: constraint.verbatim.map((text) => tokenSource(tokenizer, text)) }
}

function tokenSource(tokenizer: ByteTokenizer, text: string): Extract<ConstraintSpec, { verbatim: unknown }>['verbatim'][number] {
  const spans = tokenSpans(tokenizer, text)
  return { ids: spans.ids, starts: wordStarts(text, spans), ends: wordEnds(text, spans) }
}
