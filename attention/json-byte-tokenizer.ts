/**
 * Tokenizers from `tokenizer.json` (format of the Hugging Face tokenizers library) whose tokens are byte strings. The library normalises and
 * cuts; merging and the search for the best pieces are this package's own, as words may be megabytes long.
 */
import { idsByToken, ranksOf, wordEncoder } from './bpe-tokenizer.ts'
import { tokenBytes } from './byte-level.ts'
import { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer.ts'
import { shown } from './header-reader.ts'
import { folderError, isObject, type JsonObject } from './json-file.ts'
import { PieceTrie } from './piece-trie.ts'
import { byteFallback, pieceBytes, spaceMark, wordCutter } from './spaced-words.ts'
import { endOfTurnId } from './special-ids.ts'
import { createCutter, createTokenizerEngine } from './tokenizer-engine.ts'
import type { Tokenizer } from './tokenizer.ts'
import { unigramEncoder, unknownPenalty } from './unigram-tokenizer.ts'
import { readVocabulary, type JsonVocabulary } from './json-vocabulary.ts'
import { keepWords } from './word-cache.ts'

export interface JsonTokenizerOptions {
  /** Names the file in errors. */
  readonly label: string
  /** Ids by role. */
  readonly ids?: Tokenizer['special']
  /** Contents of special tokens by role, where the ids do not say. */
  readonly names?: Readonly<Record<string, string>>
  /** Whether the start token stands before a text; by default what the file's post-processor says. */
  readonly addBos?: boolean
  readonly addEos?: boolean
}

/**
 * Builds the tokenizer of a parsed `tokenizer.json`: BPE (byte-level, or with bytes for what is unknown), Unigram or WordPiece.
 *
 * @throws ModelFileError when the value is no tokenizer file, or of another kind
 */
export function createJsonByteTokenizer(json: JsonObject, options: JsonTokenizerOptions): ByteTokenizer {
  const vocabulary = readVocabulary(json, options.label)
  const { tokens, added, strips } = vocabulary
  const isByteLevel = mentions([json['pre_tokenizer'], json['decoder']], 'ByteLevel')
  const encode = encoder(json, vocabulary, isByteLevel, options.label)
  const bytesOf = vocabulary.kind === 'WordPiece' ? wordPieceBytes : isByteLevel ? tokenBytes : pieceOrByte
  const special = rolesOf(vocabulary, options)
  const framed = { bos: framing(json, 'before'), eos: framing(json, 'after') }
  const space = vocabulary.kind === 'WordPiece' || addsSpace(json)
  return createByteTokenizer({
    tokens,
    special,
    adds: { bos: options.addBos ?? framed.bos, eos: options.addEos ?? framed.eos, space },
    isSpecial: (id) => added.get(id) === true,
    isWhole: (id) => added.get(id) === false,
    strips,
    bytesOf: (_, token) => bytesOf(token),
    encode,
  })
}

type Encode = (text: string, first: boolean) => readonly number[]

function encoder(json: JsonObject, vocabulary: JsonVocabulary, isByteLevel: boolean, label: string): Encode {
  if (vocabulary.kind === 'WordPiece') return wordPieces(json)
  const encodeWord = keepWords(vocabulary.kind === 'BPE' ? mergedWords(vocabulary) : likelyWords(vocabulary))
  const cutWords = isByteLevel ? (text: string): string[] => [text] : wordCutter(vocabulary.tokens)
  const [cutFirst, cutLater] = readCutters(json, label)
  return (text, first) => (first ? cutFirst : cutLater)(text).flatMap((part) => cutWords(part).flatMap(encodeWord))
}

function readCutters(json: JsonObject, label: string): [(text: string) => string[], (text: string) => string[]] {
  const { normalizer, pre_tokenizer: preTokenizer } = json
  const unsound = [...partsOf(normalizer), ...partsOf(preTokenizer)].find((part) => !hasPattern(part))
  if (unsound !== undefined) throw folderError(label, `a part that cuts or replaces has no pattern: ${shown(unsound['type'])}`)
  try {
    return [
      createCutter(leading(normalizer, true), leading(preTokenizer, true)),
      createCutter(leading(normalizer, false), leading(preTokenizer, false)),
    ]
  } catch (cause) {
    throw folderError(label, 'its way to normalise or cut text is not supported', cause)
  }
}

function mergedWords({ tokens, merges, model, unknown }: JsonVocabulary): (word: string) => readonly number[] {
  const ids = idsByToken(tokens)
  const fallback = model['byte_fallback'] === true ? byteFallback(ids, unknown) : (): number[] => (unknown === undefined ? [] : [unknown])
  return wordEncoder(ids, ranksOf(merges), model['ignore_merges'] === true, fallback)
}

function likelyWords({ tokens, scores, model, unknown }: JsonVocabulary): (word: string) => readonly number[] {
  const ids = idsByToken(tokens.slice(0, scores.length))
  if (unknown !== undefined) ids.delete(tokens[unknown] ?? '')
  const fallback = model['byte_fallback'] === true ? byteFallback(ids, undefined) : (): number[] => []
  const lowest = scores.reduce((least, score) => Math.min(least, score), 0)
  const pieces = { trie: new PieceTrie(ids), scoreOf: (id: number) => scores[id] ?? 0, unknownScore: lowest - unknownPenalty }
  return unigramEncoder(pieces, fallback, unknown)
}

function wordPieces(json: JsonObject): Encode {
  const engine = createTokenizerEngine({ ...json, post_processor: null, decoder: null, added_tokens: [] })
  return (text) => (text === '' ? [] : engine.encode(text, { add_special_tokens: false }).ids)
}

function wordPieceBytes(token: string): Uint8Array {
  return new TextEncoder().encode(token.startsWith('##') ? token.slice(2) : ` ${token}`)
}

function pieceOrByte(token: string): Uint8Array {
  return pieceBytes(token, true)
}

/** Whether a part that needs a pattern has one: the library would warn on the console and go on. */
function hasPattern({ type, pattern }: JsonObject): boolean {
  if (type !== 'Split' && type !== 'Replace') return true
  return isObject(pattern) && (typeof pattern['Regex'] === 'string' || typeof pattern['String'] === 'string')
}

/** Whether a part of some type is in the parts given, at any depth. */
function mentions(parts: unknown, type: string): boolean {
  if (Array.isArray(parts)) return parts.some((part) => mentions(part, type))
  return (
    isObject(parts) && (parts['type'] === type || Object.values(parts).some((part) => typeof part === 'object' && mentions(part, type)))
  )
}

/** Parts of a Sequence, or the part itself. */
function partsOf(part: unknown): JsonObject[] {
  if (!isObject(part)) return []
  const inner = part['normalizers'] ?? part['pretokenizers'] ?? part['processors']
  return part['type'] === 'Sequence' && Array.isArray(inner) ? inner.flatMap(partsOf) : [part]
}

function addsSpace({ normalizer, pre_tokenizer: preTokenizer }: JsonObject): boolean {
  return [...partsOf(normalizer), ...partsOf(preTokenizer)].some(isSpacer)
}

/** A part that puts a space before a text. */
function isSpacer(part: JsonObject): boolean {
  if (part['type'] === 'Prepend') return part['prepend'] === spaceMark
  if (part['type'] === 'Metaspace') return part['prepend_scheme'] !== 'never' && part['add_prefix_space'] !== false
  return part['type'] === 'ByteLevel' && part['add_prefix_space'] === true
}

/** A normaliser or pre-tokeniser with or without what puts a space before a text. */
function leading(part: unknown, space: boolean): unknown {
  if (!isObject(part)) return part
  for (const name of ['normalizers', 'pretokenizers']) {
    const inner = part[name]
    if (Array.isArray(inner)) return { ...part, [name]: inner.map((item) => leading(item, space)).filter((item) => item !== null) }
  }
  // The library goes by the scheme alone.
  if (part['type'] === 'Metaspace') return { ...part, prepend_scheme: space && isSpacer(part) ? 'always' : 'never' }
  if (space || !isSpacer(part)) return part
  return part['type'] === 'ByteLevel' ? { ...part, add_prefix_space: false } : null
}

/** Whether the file's own template has a special token before or after a text. */
function framing({ post_processor: processor }: JsonObject, where: 'before' | 'after'): boolean {
  return partsOf(processor).some((part) => {
    const single = part['type'] === 'TemplateProcessing' ? part['single'] : undefined
    if (!Array.isArray(single)) return part['type'] === 'BertProcessing' || part['type'] === 'RobertaProcessing'
    const end: unknown = where === 'before' ? single[0] : single.at(-1)
    return isObject(end) && end['SpecialToken'] !== undefined
  })
}

function rolesOf({ tokens }: JsonVocabulary, { ids = {}, names = {} }: JsonTokenizerOptions): Tokenizer['special'] {
  const find = (role: 'bos' | 'eos' | 'pad'): number | undefined => {
    const named = names[role] === undefined ? -1 : tokens.indexOf(names[role])
    const id = named >= 0 ? named : ids[role]
    return id !== undefined && id < tokens.length ? id : undefined
  }
  const [bos, eos, pad, endOfTurn] = [find('bos'), find('eos'), find('pad'), endOfTurnId(tokens)]
  return {
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(pad !== undefined && { pad }),
    ...(endOfTurn !== undefined && { endOfTurn }),
  }
}
