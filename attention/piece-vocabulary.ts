/** What the metadata of a GGUF file say of a vocabulary (`tokenizer.ggml.*`). */
import { ModelFileError } from '../errors/index.ts'

/** Kinds of token in GGUF files: control tokens are special; user-defined ones are always whole in a text. */
export const tokenTypes: Readonly<Record<'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte', number>> = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
}

export interface PieceVocabulary {
  /** Name of the model, for messages. */
  readonly name: string
  /** Tokens by id. */
  readonly tokens: readonly string[]
  /** Kind of token `id`; a normal one where the file does not say. */
  typeOf(id: number): number
  readonly metadata: ReadonlyMap<string, unknown>
}

/**
 * Tokens and their kinds.
 *
 * @throws ModelFileError when the metadata hold none
 */
export function readPieces(metadata: ReadonlyMap<string, unknown>): PieceVocabulary {
  const named = metadata.get('general.name')
  const name = typeof named === 'string' ? named : 'the model'
  const tokens = metadata.get('tokenizer.ggml.tokens')
  const types = metadata.get('tokenizer.ggml.token_type') ?? []
  if (!isListOf('string', tokens) || tokens.length === 0) throw refusal(name, 'it has no list of tokens (tokenizer.ggml.tokens)')
  if (!isListOf('number', types)) throw refusal(name, 'its token types are no numbers (tokenizer.ggml.token_type)')
  return { name, tokens, typeOf: (id) => types[id] ?? tokenTypes.normal, metadata }
}

/** Scores of the tokens; one each. */
export function readScores({ name, tokens, metadata }: PieceVocabulary): readonly number[] {
  const scores = metadata.get('tokenizer.ggml.scores')
  if (isListOf('number', scores) && scores.length >= tokens.length) return scores
  throw refusal(name, `it has no score for each of its ${tokens.length} tokens (tokenizer.ggml.scores)`)
}

/** An error about a vocabulary; `why` completes "Cannot build a tokenizer for ... as". */
export function refusal(name: string, why: string): ModelFileError {
  return new ModelFileError(`Cannot build a tokenizer for ${name} as ${why}. Use a model file with a vocabulary of a known kind`, {
    file: name,
  })
}

export function isListOf(type: 'string', value: unknown): value is string[]
export function isListOf(type: 'number', value: unknown): value is number[]
export function isListOf(type: string, value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

/** An id that the metadata give under `tokenizer.ggml.<key>_token_id`, where it is one of the vocabulary. */
export function statedId({ metadata, tokens }: PieceVocabulary, key: string): number | undefined {
  const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < tokens.length ? id : undefined
}

/** A yes or no under `tokenizer.ggml.<key>`. */
export function statedFlag({ metadata }: PieceVocabulary, key: string, fallback: boolean): boolean {
  const value = metadata.get(`tokenizer.ggml.${key}`)
  return typeof value === 'boolean' ? value : fallback
}
