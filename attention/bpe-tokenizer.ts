/**
 * Byte-level BPE from the metadata of a GGUF file. The file holds the vocabulary and the merges; how text is cut before merging is only
 * named there (`tokenizer.ggml.pre`), so each supported name has its rule here.
 */
import { ModelFileError } from '../errors/index.ts'
import { tokenBytes } from './byte-level.ts'
import { createTokenizerEngine, type TokenizerEngine } from './tokenizer-engine.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A tokenizer whose tokens are byte strings. */
export interface ByteTokenizer extends Tokenizer {
  /** The bytes of one token; a token may begin or end inside a character. */
  bytes(id: number): Uint8Array
}

/** What the metadata says of a vocabulary. */
interface Vocabulary {
  readonly name: string
  readonly tokens: readonly string[]
  readonly merges: readonly string[]
  readonly types: readonly number[]
  readonly preTokenizer: object
}

/** Token types of GGUF: control tokens are special; user-defined ones are always whole in a text. */
const controlType = 3
const userDefinedType = 4

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
const bytesOnly = { ...byteLevel, use_regex: false }

/** The rule of Llama 3 and Qwen 2, which differ in how many digits stay together. */
function wordRule(digits: string): object {
  const words = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
  return { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: words }, behavior: 'Isolated', invert: false }, bytesOnly] }
}

/**
 * Merging takes a queue over a whole word, and a word is whatever has no border inside, be it megabytes of base64. Longer words are cut, which
 * bounds the memory; the ids near such a cut may differ from those of an uncut word.
 */
const longestWord = { type: 'FixedLength', length: 4096 }

const singleDigits = { type: 'Split', pattern: { Regex: '\\p{N}' }, behavior: 'Isolated', invert: false }

const preTokenizers: Readonly<Record<string, object>> = {
  'gpt-2': byteLevel,
  smollm: { type: 'Sequence', pretokenizers: [singleDigits, byteLevel] },
  'llama-bpe': wordRule('\\p{N}{1,3}'),
  qwen2: wordRule('\\p{N}'),
}

/**
 * Builds the tokenizer of a GGUF file from its metadata (`tokenizer.ggml.*`). Bytes that the vocabulary has no token for are left out (in
 * SmolLM2's: six control characters and those that begin characters from U+40000 to U+BFFFF).
 *
 * @throws ModelFileError when the metadata holds no byte-level BPE, or cuts text in a way that is not supported
 */
export function createBpeTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const vocabulary = readVocabulary(metadata)
  const plain = createEngine(vocabulary, [userDefinedType])
  const special = createEngine(vocabulary, [userDefinedType, controlType])
  const { tokens, types } = vocabulary
  const cache: (Uint8Array | undefined)[] = []

  function bytes(id: number): Uint8Array {
    const token = tokens[id]
    if (token === undefined) throw new RangeError(`Cannot decode a token as its id is not in the vocabulary of ${tokens.length}: ${id}`)
    return (cache[id] ??= isWhole(types[id]) ? new TextEncoder().encode(token) : tokenBytes(token))
  }

  function decode(ids: readonly number[], options: { readonly special?: boolean } = {}): string {
    const kept = options.special ? ids : ids.filter((id) => types[id] !== controlType)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(concatenate(kept.map(bytes)))
  }

  return {
    vocabulary: tokens.length,
    special: specialIds(metadata, tokens),
    encode: (text, options = {}) => (options.special ? special : plain)(text),
    decode,
    token: (id) => decode([id], { special: true }),
    bytes,
  }
}

function isWhole(type: number | undefined): boolean {
  return type === controlType || type === userDefinedType
}

function readVocabulary(metadata: ReadonlyMap<string, unknown>): Vocabulary {
  const name = textOf(metadata, 'general.name') ?? 'the model'
  const refuse = (why: string): never => {
    throw new ModelFileError(`Cannot build a tokenizer for ${name} as ${why}. Use a GGUF file with a byte-level BPE vocabulary`, {
      file: name,
    })
  }
  const model = metadata.get('tokenizer.ggml.model')
  if (model !== 'gpt2') refuse(`its kind is not supported (tokenizer.ggml.model): ${String(model)}`)
  const pre = textOf(metadata, 'tokenizer.ggml.pre') ?? 'gpt-2'
  const preTokenizer = Object.hasOwn(preTokenizers, pre) ? preTokenizers[pre] : undefined
  const tokens = metadata.get('tokenizer.ggml.tokens')
  const merges = metadata.get('tokenizer.ggml.merges')
  const types = metadata.get('tokenizer.ggml.token_type') ?? []
  if (preTokenizer === undefined) return refuse(`its way to cut text is not supported (tokenizer.ggml.pre): ${pre}`)
  if (!isListOf('string', tokens) || tokens.length === 0) return refuse('it has no list of tokens (tokenizer.ggml.tokens)')
  if (!isListOf('string', merges)) return refuse('it has no list of merges (tokenizer.ggml.merges)')
  if (!isListOf('number', types)) return refuse('its token types are no numbers (tokenizer.ggml.token_type)')
  return { name, tokens, merges, types, preTokenizer }
}

function textOf(metadata: ReadonlyMap<string, unknown>, key: string): string | undefined {
  const value = metadata.get(key)
  return typeof value === 'string' ? value : undefined
}

function isListOf(type: 'string', value: unknown): value is string[]
function isListOf(type: 'number', value: unknown): value is number[]
function isListOf(type: string, value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

/** The library reads special tokens in a text by what it was built with, so there is one engine for each way to read. */
function createEngine({ tokens, merges, types, preTokenizer }: Vocabulary, whole: readonly number[]): (text: string) => number[] {
  let engine: TokenizerEngine | undefined
  const build = (): TokenizerEngine => {
    const vocab: Record<string, number> = Object.assign(Object.create(null), Object.fromEntries(tokens.map((token, id) => [token, id])))
    const added = tokens.flatMap((content, id) =>
      whole.includes(types[id] ?? 0) ? [addedToken(content, id, types[id] === controlType)] : [],
    )
    const pairs = merges.map((merge) => merge.split(' ', 2))
    const cutting = { type: 'Sequence', pretokenizers: [preTokenizer, longestWord] }
    const model = { type: 'BPE', vocab, merges: pairs, ignore_merges: false }
    return createTokenizerEngine({
      normalizer: null,
      pre_tokenizer: cutting,
      model,
      post_processor: null,
      decoder: null,
      added_tokens: added,
    })
  }
  return (text) => (text === '' ? [] : (engine ??= build()).encode(text, { add_special_tokens: false }).ids)
}

function addedToken(content: string, id: number, special: boolean): object {
  return { content, id, special, normalized: false, single_word: false, lstrip: false, rstrip: false }
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

function specialIds(metadata: ReadonlyMap<string, unknown>, tokens: readonly string[]): Tokenizer['special'] {
  const ids: { bos?: number; eos?: number; pad?: number; endOfTurn?: number } = {}
  for (const [role, key] of [
    ['bos', 'bos'],
    ['eos', 'eos'],
    ['pad', 'padding'],
  ] as const) {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
    if (typeof id === 'number') ids[role] = id
  }
  const stated = metadata.get('tokenizer.ggml.eot_token_id')
  const endOfTurn = typeof stated === 'number' ? stated : endsOfTurn.map((token) => tokens.indexOf(token)).find((id) => id >= 0)
  if (endOfTurn !== undefined) ids.endOfTurn = endOfTurn
  return ids
}

/** What ends a turn in the formats of ChatML and Llama 3, for files that do not say. */
const endsOfTurn = ['<|im_end|>', '<|eot_id|>']
