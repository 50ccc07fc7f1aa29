import { shown } from './header-reader.ts'
import { folderError, isObject, type JsonObject } from './json-file.ts'
import type { Stripping } from './whole-tokens.ts'

/** What a `tokenizer.json` says of its tokens. */
export interface JsonVocabulary {
  readonly kind: 'BPE' | 'Unigram' | 'WordPiece'
  readonly model: JsonObject
  /** Tokens by id; '' where an id has none. */
  readonly tokens: readonly string[]
  /** Tokens that are whole in a text, by id: true for special ones. */
  readonly added: ReadonlyMap<number, boolean>
  /** What of the white space around those is left out, by id. */
  readonly strips: ReadonlyMap<number, Stripping>
  /** Merges as "left right", in order. */
  readonly merges: readonly string[]
  /** log P by id, in a Unigram vocabulary. */
  readonly scores: readonly number[]
  /** Id of the unknown token. */
  readonly unknown: number | undefined
}

/** Ids beyond the number of tokens by more than this are no padding but damage. */
const mostGap = 1 << 16

/**
 * Tokens, merges and scores.
 *
 * @throws ModelFileError when the value is no tokenizer file, or of a kind that is not supported
 */
export function readVocabulary(json: JsonObject, label: string): JsonVocabulary {
  const { model } = json
  if (!isObject(model)) throw folderError(label, 'it has no "model"')
  const kind = model['type'] ?? (model['merges'] === undefined ? undefined : 'BPE')
  if (kind !== 'BPE' && kind !== 'Unigram' && kind !== 'WordPiece') {
    throw folderError(label, `its kind is not supported: ${shown(kind)}. Supported: BPE, Unigram, WordPiece`)
  }
  const [ids, scores] = kind === 'Unigram' ? unigramEntries(model['vocab'], label) : [vocabEntries(model['vocab'], label), []]
  const count = ids.length
  const added = new Map<number, boolean>()
  const strips = new Map<number, Stripping>()
  for (const entry of addedTokens(json, label)) {
    ids.push([entry.content, entry.id])
    added.set(entry.id, entry.special)
    if (entry.before || entry.after) strips.set(entry.id, entry)
  }
  const tokens = place(ids, count + added.size + mostGap, label)
  const unknown = unknownId(model, tokens)
  return { kind, model, tokens, added, strips, merges: kind === 'BPE' ? readMerges(model, label) : [], scores, unknown }
}

function vocabEntries(vocab: unknown, label: string): [string, unknown][] {
  if (isObject(vocab)) return Object.entries(vocab)
  throw folderError(label, 'its vocabulary is no object ("model.vocab")')
}

function unigramEntries(vocab: unknown, label: string): [[string, unknown][], number[]] {
  if (!Array.isArray(vocab)) throw folderError(label, 'its vocabulary is no list ("model.vocab")')
  const ids: [string, unknown][] = []
  const scores: number[] = []
  for (const [id, entry] of vocab.entries()) {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof piece !== 'string' || typeof score !== 'number')
      throw folderError(label, `entry ${id} of its vocabulary is no pair of piece and score`)
    ids.push([piece, id])
    scores.push(score)
  }
  return [ids, scores]
}

interface AddedToken extends Stripping {
  readonly content: string
  readonly id: number
  readonly special: boolean
}

function addedTokens({ added_tokens: added = [] }: JsonObject, label: string): AddedToken[] {
  if (!Array.isArray(added)) throw folderError(label, '"added_tokens" is no list')
  return added.map((entry: unknown) => {
    const { content, id, special, lstrip, rstrip } = isObject(entry) ? entry : {}
    if (typeof content === 'string' && typeof id === 'number')
      return { content, id, special: special === true, before: lstrip === true, after: rstrip === true }
    throw folderError(label, 'an entry of "added_tokens" has no content and id')
  })
}

function place(ids: readonly (readonly [string, unknown])[], most: number, label: string): string[] {
  let last = -1
  for (const [token, id] of ids) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= most) {
      throw folderError(label, `the id of token ${shown(token)} is not a whole number from 0 to ${most - 1}: ${shown(id)}`)
    }
    last = Math.max(last, id)
  }
  if (last < 0) throw folderError(label, 'its vocabulary is empty')
  const tokens = Array.from({ length: last + 1 }, () => '')
  for (const [token, id] of ids) tokens[id as number] = token
  return tokens
}

/** Either "left right" or [left, right]. */
function readMerges({ merges }: JsonObject, label: string): string[] {
  if (!Array.isArray(merges)) throw folderError(label, 'it has no list of merges ("model.merges")')
  return merges.map((merge: unknown, index) => {
    const parts: unknown[] = Array.isArray(merge) ? merge : [merge]
    if (parts.length > 2 || !parts.every((part) => typeof part === 'string'))
      throw folderError(label, `merge ${index} is no pair of tokens`)
    return parts.join(' ')
  })
}

function unknownId(model: JsonObject, tokens: readonly string[]): number | undefined {
  const { unk_id: id, unk_token: token } = model
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < tokens.length) return id
  const found = typeof token === 'string' ? tokens.indexOf(token) : -1
  return found >= 0 ? found : undefined
}
