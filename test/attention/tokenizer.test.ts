import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { modelFile } from 'scriptorium-weights'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ByteTokenizer, createBpeTokenizer, createTokenizer, readGguf, type Tokenizer } from '../../attention/index.ts'
import { openFileSource } from '../../models/file-source.ts'
import encoderGolden from '../golden/all-minilm-l6-v2.json' with { type: 'json' }
import golden from '../golden/smollm2-135m-instruct.json' with { type: 'json' }

describe('byte-level BPE from GGUF metadata', () => {
  let metadata: ReadonlyMap<string, unknown>
  let tokenizer: ByteTokenizer

  beforeAll(async () => {
    await using source = await openFileSource(await modelFile('smollm2-135m-instruct', 'model.gguf'))
    metadata = (await readGguf(source)).metadata
    tokenizer = createBpeTokenizer(metadata)
  })

  it.each(golden.tokenizer)('gives the reference ids of $text', ({ text, ids }) => {
    expect(tokenizer.encode(text, { special: true })).toEqual(ids)
    expect(tokenizer.decode(ids, { special: true })).toBe(text)
  })

  it('reads special tokens in a text as plain text unless told otherwise', () => {
    const text = 'a<|im_end|>b'
    expect(tokenizer.encode(text)).not.toContain(tokenizer.special.endOfTurn)
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    expect(tokenizer.encode(text, { special: true })).toContain(tokenizer.special.endOfTurn)
    expect(tokenizer.decode(tokenizer.encode(text, { special: true }))).toBe('ab')
  })

  it('brings texts back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const ids = tokenizer.encode(text)
        expect(tokenizer.decode(ids)).toBe(text)
        expect(Buffer.concat(ids.map((id) => tokenizer.bytes(id))).toString()).toBe(text)
      }),
    )
  })

  it.each([
    ['letters', 'a'.repeat(20_000)],
    ['spaces', ' '.repeat(20_000)],
    ['characters of three bytes', '日'.repeat(7_000)],
    ['digits', '7'.repeat(20_000)],
  ])('takes a long run of %s without a border', (_, text) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })

  it('has no ids for an empty text, and no text for no ids', () => {
    expect(tokenizer.encode('')).toEqual([])
    expect(tokenizer.decode([])).toBe('')
  })

  it('knows the special tokens and the size of the vocabulary', () => {
    expect(tokenizer.vocabulary).toBe(49152)
    expect(tokenizer.special).toEqual({ bos: 1, eos: 2, pad: 2, endOfTurn: 2 })
    expect(tokenizer.token(2)).toBe('<|im_end|>')
    expect(tokenizer.token(19556)).toBe('Hello')
  })

  it('refuses an id outside the vocabulary', () => {
    expect(() => tokenizer.decode([49152])).toThrow(RangeError)
  })

  it.each([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.pre', 'unheard-of'],
    ['tokenizer.ggml.tokens', undefined],
    ['tokenizer.ggml.merges', [1, 2]],
  ])('refuses metadata where %s is %j', (key, value) => {
    const changed = new Map(metadata).set(key, value)
    expect(() => createBpeTokenizer(changed)).toThrow(
      expect.objectContaining({ name: 'ModelFileError', message: expect.stringContaining(key) }),
    )
  })
})

describe('a tokenizer from tokenizer.json', () => {
  let tokenizer: Tokenizer

  beforeAll(async () => {
    tokenizer = createTokenizer(JSON.parse(await readFile(await modelFile('all-minilm-l6-v2', 'tokenizer.json'), 'utf8')) as object)
  })

  it.each(encoderGolden.sentences.map((text, at) => ({ text: text.slice(0, 40), whole: text, ids: encoderGolden.ids[at] })))(
    'gives the reference ids of "$text"',
    ({ whole, ids }) => {
      expect([tokenizer.special.bos, ...tokenizer.encode(whole), tokenizer.special.eos]).toEqual(ids)
    },
  )

  it('reads special tokens in a text as plain text unless told otherwise', () => {
    expect(tokenizer.encode('a [SEP] b')).not.toContain(tokenizer.special.eos)
    expect(tokenizer.encode('a [SEP] b', { special: true })).toContain(tokenizer.special.eos)
  })

  it('decodes ids, without special tokens unless told otherwise', () => {
    const ids = [tokenizer.special.bos!, ...tokenizer.encode('Call me Ishmael.')]
    expect(tokenizer.decode(ids)).toBe('call me ishmael.')
    expect(tokenizer.decode(ids, { special: true })).toContain('[CLS]')
    expect(tokenizer.decode([])).toBe('')
    expect(tokenizer.token(101)).toBe('[CLS]')
  })

  it('refuses what is no tokenizer file', () => {
    expect(() => createTokenizer({ version: 1 })).toThrow(/no "model.vocab" and "added_tokens": version/)
  })
})
