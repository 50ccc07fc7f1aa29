import { createTokenizerEngine, type TokenizerEngine } from './tokenizer-engine.ts'
import type { Tokenizer } from './tokenizer.ts'

/** The parts of a `tokenizer.json` that this file looks at; the library reads the rest. */
interface TokenizerFile {
  readonly model: { readonly type?: string; readonly vocab: Readonly<Record<string, number>> }
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[]
}

/**
 * Builds a tokenizer from a parsed `tokenizer.json` (format of the Hugging Face tokenizers library), such as BERT's WordPiece.
 * `encode` adds no special tokens: `special.bos` and `special.eos` hold what stands before and after a sequence ([CLS] and [SEP] in BERT).
 *
 * @throws TypeError when the value is no tokenizer file
 */
export function createTokenizer(tokenizerJson: object): Tokenizer {
  const file = checkFile(tokenizerJson)
  const special = createTokenizerEngine(file)
  const plain = createTokenizerEngine({ ...file, added_tokens: file.added_tokens.filter((token) => !token.special) })
  const size = 1 + Math.max(...idsOf(file))

  return {
    vocabulary: size,
    special: specialIds(file),
    encode: (text, options = {}) => (options.special ? special : plain).encode(text, { add_special_tokens: false }).ids,
    decode: (ids, options = {}) => decode(special, ids, options.special === true),
    token: (id) => tokenOf(special, id, size),
  }
}

function checkFile(value: object): TokenizerFile {
  const { model, added_tokens: added } = value as Partial<TokenizerFile>
  if (typeof model?.vocab === 'object' && Array.isArray(added)) return value as TokenizerFile
  throw new TypeError(`Cannot build a tokenizer as the value has no "model.vocab" and "added_tokens": ${Object.keys(value).join(', ')}`)
}

function idsOf(file: TokenizerFile): number[] {
  const ids = Object.values(file.model.vocab)
  // In slices, as a vocabulary may hold more entries than a call takes arguments.
  const highest: number[] = file.added_tokens.map(({ id }) => id)
  for (let at = 0; at < ids.length; at += 10_000) highest.push(Math.max(...ids.slice(at, at + 10_000)))
  return highest
}

/** Names of special tokens by role, in the order of preference. */
const roles = { bos: ['[CLS]', '<s>'], eos: ['[SEP]', '</s>'], pad: ['[PAD]', '<pad>'] } as const

function specialIds({ added_tokens: added }: TokenizerFile): Tokenizer['special'] {
  const ids: { bos?: number; eos?: number; pad?: number } = {}
  for (const role of ['bos', 'eos', 'pad'] as const) {
    const id = roles[role].map((name) => added.find(({ content }) => content === name)?.id).find((found) => found !== undefined)
    if (id !== undefined) ids[role] = id
  }
  return ids
}

/** The library refuses an empty list. */
function decode(engine: TokenizerEngine, ids: readonly number[], special: boolean): string {
  return ids.length === 0 ? '' : engine.decode(ids, { skip_special_tokens: !special })
}

function tokenOf(engine: TokenizerEngine, id: number, size: number): string {
  const token = engine.id_to_token(id)
  if (token === undefined) throw new RangeError(`Cannot name a token as its id is not in the vocabulary of ${size}: ${id}`)
  return token
}
