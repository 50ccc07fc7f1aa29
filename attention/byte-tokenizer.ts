import type { Tokenizer } from './tokenizer.ts'
import { type Stripping, wholeTokenCutter } from './whole-tokens.ts'

/** A tokenizer whose tokens are byte strings. */
export interface ByteTokenizer extends Tokenizer {
  /** The bytes of one token; a token may begin or end inside a character. */
  bytes(id: number): Uint8Array
}

/** What differs between kinds of vocabulary. */
export interface ByteTokenizerParts {
  /** Tokens by id, as the vocabulary writes them. */
  readonly tokens: readonly string[]
  readonly special: Tokenizer['special']
  readonly adds: NonNullable<Tokenizer['adds']>
  /** Ids of special tokens, which a text has none of unless it is read with them. */
  readonly isSpecial: (id: number) => boolean
  /** Ids of tokens that are always whole in a text. */
  readonly isWhole: (id: number) => boolean
  /** What of the white space around whole and special tokens is left out, by id; all is text by default. */
  readonly strips?: ReadonlyMap<number, Stripping>
  /** Bytes of a token that is neither. */
  readonly bytesOf: (id: number, token: string) => Uint8Array
  /** Ids of a text between whole tokens; `first` where the text, or a part after a special token, begins. */
  readonly encode: (text: string, first: boolean) => readonly number[]
}

const utf8 = new TextEncoder()

/** Puts a tokenizer together: whole tokens, bytes and their texts are alike in all kinds. */
export function createByteTokenizer(parts: ByteTokenizerParts): ByteTokenizer {
  const { tokens, special, adds, isSpecial, isWhole, strips, encode } = parts
  const cutPlain = wholeTokenCutter(contents(tokens, isWhole), strips)
  const cutSpecial = wholeTokenCutter(
    contents(tokens, (id) => isWhole(id) || isSpecial(id)),
    strips,
  )
  const cache: (Uint8Array | undefined)[] = []

  function bytes(id: number): Uint8Array {
    const token = tokens[id]
    if (token === undefined) throw new RangeError(`Cannot decode a token as its id is not in the vocabulary of ${tokens.length}: ${id}`)
    return (cache[id] ??= isWhole(id) || isSpecial(id) ? utf8.encode(token) : parts.bytesOf(id, token))
  }

  function encodeAll(text: string, options: { readonly special?: boolean } = {}): number[] {
    const ids: number[] = []
    let first = true
    for (const part of (options.special ? cutSpecial : cutPlain)(text)) {
      if (part.id !== undefined) ids.push(part.id)
      else for (const id of encode(part.text, first)) ids.push(id)
      first = part.id !== undefined && isSpecial(part.id)
    }
    return ids
  }

  function decode(ids: readonly number[], options: { readonly special?: boolean } = {}): string {
    const kept = options.special ? ids : ids.filter((id) => !isSpecial(id))
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(concatenate(kept.map(bytes)))
    const [start] = kept
    return adds.space && start !== undefined && !isSpecial(start) && text.startsWith(' ') ? text.slice(1) : text
  }

  const token = (id: number): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes(id))
  return { vocabulary: tokens.length, special, adds, encode: encodeAll, decode, token, bytes }
}

function contents(tokens: readonly string[], chosen: (id: number) => boolean): Map<string, number> {
  const found = new Map<string, number>()
  for (const [id, token] of tokens.entries()) if (chosen(id)) found.set(token, id)
  return found
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
