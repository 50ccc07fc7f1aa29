import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createGgufTokenizer } from '../../attention/index.ts'
import { byteLevelText } from '../../attention/byte-level.ts'
import { characterMap } from '../../attention/character-map.ts'
import { createJsonByteTokenizer } from '../../attention/json-byte-tokenizer.ts'
import { mergePieces } from '../../attention/merge-pieces.ts'
import { cutText, preTokenizerNames, preTokenizerRule } from '../../attention/pre-tokenizer-rules.ts'
import { ModelFileError } from '../../errors/index.ts'

const bytePieces = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
const wellFormed = (text: string): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))
/** Any text, lone surrogates among it. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }))

describe('the rules that cut a text', () => {
  const cases: [string, string, string[]][] = [
    ['gpt-2', "I'm 2nd,  ok\n", ['I', "'m", ' 2', 'nd', ',', ' ', ' ok', '\n']],
    ['smollm', 'a 123', ['a', ' ', '1', '2', '3']],
    ['llama-bpe', "WE'RE 12345 a.b\n\n c", ['WE', "'RE", ' ', '123', '45', ' a', '.b', '\n\n', ' c']],
    ['qwen2', "don't 12", ['don', "'t", ' ', '1', '2']],
    ['deepseek-llm', 'Ab 日本 12 x\ny', ['Ab', ' ', '日本', ' ', '12', ' x', '\n', 'y']],
    ['deepseek-coder', 'ab, 12', ['ab', ',', ' ', '1', '2']],
    ['deepseek-v3', 'abc 1234 日', ['abc', ' ', '123', '4', ' ', '日']],
    ['tekken', 'iPhone HTTPServer 12', ['i', 'Phone', ' HTTPServer', ' ', '1', '2']],
    ['gpt-4o', "it's 1234", ["it's", ' ', '123', '4']],
    ['falcon', 'a+b 12345', ['a', '+', 'b', ' ', '123', '45']],
    ['bloom', 'a, b', ['a', ',', ' b']],
    ['default', 'x=1234', ['x', '=', '123', '4']],
  ]
  test.each(cases)('%s cuts %j', (name, text, words) => {
    expect(cutText(text, preTokenizerRule(name)!.patterns)).toEqual(words)
  })

  test.each(preTokenizerNames)('%s loses nothing', (name) => {
    const { patterns } = preTokenizerRule(name)!
    fc.assert(
      fc.property(anyText, (text) => {
        const words = cutText(text, patterns)
        expect(words.join('')).toBe(text)
        expect(words).not.toContain('')
      }),
      { numRuns: 40 },
    )
  })

  test.each(['gpt-2', 'llama-bpe', 'deepseek-llm', 'tekken', 'qwen35'])('%s takes long runs of one character', (name) => {
    const { patterns } = preTokenizerRule(name)!
    for (const unit of ['a', ' ', '7', '-', '日']) {
      const text = `${unit.repeat(300_000)}x`
      expect(cutText(text, patterns).join('').length).toBe(text.length)
    }
  })
})

describe('mergePieces()', () => {
  it('joins the lowest rank first, and the leftmost of equals', () => {
    const ranks = new Map([
      ['a b', 1],
      ['b c', 0],
      ['a a', 2],
      ['aa aa', 3],
    ])
    const rankOf = (left: string, right: string): number | undefined => ranks.get(`${left} ${right}`)
    expect(mergePieces(['a', 'b', 'c'], rankOf)).toEqual(['a', 'bc'])
    expect(mergePieces(['a', 'a', 'a'], rankOf)).toEqual(['aa', 'a'])
    expect(mergePieces(Array.from('aaaaa'), rankOf)).toEqual(['aaaa', 'a'])
    expect(mergePieces([], rankOf)).toEqual([])
  })

  it('joins as the definition says', () => {
    const slow = (symbols: string[], rankOf: (left: string, right: string) => number | undefined): string[] => {
      const pieces = [...symbols]
      for (;;) {
        const found = pieces.slice(1).map((right, at) => rankOf(pieces[at]!, right) ?? Infinity)
        const best = Math.min(Infinity, ...found)
        if (best === Infinity) return pieces
        const at = found.indexOf(best)
        pieces.splice(at, 2, pieces[at]! + pieces[at + 1]!)
      }
    }
    const pair = fc.tuple(fc.constantFrom('a', 'b', 'ab', 'ba', 'aa', 'aba'), fc.constantFrom('a', 'b', 'ab', 'bb', 'aa'), fc.nat(5))
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 12 }), fc.array(fc.constantFrom('a', 'b'), { maxLength: 24 }), (pairs, symbols) => {
        const ranks = new Map(pairs.map(([left, right, rank]) => [`${left} ${right}`, rank]))
        const rankOf = (left: string, right: string): number | undefined => ranks.get(`${left} ${right}`)
        expect(mergePieces(symbols, rankOf)).toEqual(slow(symbols, rankOf))
      }),
      { numRuns: 300 },
    )
  })

  it('takes a word of many symbols', () => {
    expect(mergePieces(Array.from('a'.repeat(300_000)), (left, right) => (left + right === 'aa' ? 0 : undefined)).length).toBe(150_000)
  })
})

const spm = ['<unk>', '<s>', '</s>', ...bytePieces, '<tag>', '\u2581', 'a', 'b', 'c', 'ab', 'bc', '\u2581a', '\u2581ab', 'abc']
const spmScores = spm.map((piece) => ({ ab: -1, bc: -0.5, '\u2581a': -3, '\u2581ab': -4, abc: -5 })[piece] ?? -9)
const spmMetadata = (change: Record<string, unknown> = {}): Map<string, unknown> =>
  new Map<string, unknown>(
    Object.entries({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': spm,
      'tokenizer.ggml.scores': spmScores,
      'tokenizer.ggml.token_type': spm.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : id === 259 ? 4 : 1)),
      ...change,
    }),
  )

describe('BPE by scores', () => {
  const tokenizer = createGgufTokenizer(spmMetadata())
  const names = (text: string, options?: { special: boolean }): string[] => tokenizer.encode(text, options).map((id) => spm[id]!)

  // "▁abc": of "▁a" (-3), "ab" (-1) and "bc" (-0.5), "bc" goes first; then "▁a" is left, as "abc" needs "a" + "bc" (-5).
  const cases: [string, string[]][] = [
    ['abc', ['\u2581a', 'bc']],
    ['ab', ['\u2581ab']],
    ['ab ab', ['\u2581ab', '\u2581ab']],
    ['  a', ['\u2581', '\u2581', '\u2581a']],
    ['é', ['\u2581', '<0xC3>', '<0xA9>']],
    ['\n', ['\u2581', '<0x0A>']],
    ['a<tag>ab', ['\u2581a', '<tag>', 'ab']],
    ['\ud800', ['\u2581', '<0xEF>', '<0xBF>', '<0xBD>']],
    ['', []],
  ]
  test.each(cases)('writes %j as %j', (text, pieces) => {
    expect(names(text)).toEqual(pieces)
  })

  it('reads special tokens in a text as plain text unless told otherwise', () => {
    expect(names('<s>')).not.toContain('<s>')
    expect(names('<s>a', { special: true })).toEqual(['<s>', '\u2581a'])
    expect(tokenizer.decode(tokenizer.encode('<s>a', { special: true }))).toBe('a')
  })

  it('adds no space where the file says so', () => {
    const bare = createGgufTokenizer(spmMetadata({ 'tokenizer.ggml.add_space_prefix': false }))
    expect(bare.encode('ab').map((id) => spm[id])).toEqual(['ab'])
    expect(bare.decode(bare.encode(' a'))).toBe(' a')
    expect(bare.adds).toEqual({ bos: true, eos: false, space: false })
    expect(bare.special).toEqual({ bos: 1, eos: 2 })
  })

  it('joins across spaces where the vocabulary has such pieces', () => {
    const crossing = createGgufTokenizer(
      spmMetadata({
        'tokenizer.ggml.tokens': [...spm, 'b\u2581'],
        'tokenizer.ggml.scores': [...spmScores, -0.1],
        'tokenizer.ggml.token_type': [...(spmMetadata().get('tokenizer.ggml.token_type') as number[]), 1],
      }),
    )
    expect(crossing.encode('ab a').map((id) => [...spm, 'b\u2581'][id])).toEqual(['\u2581a', 'b\u2581', 'a'])
  })

  it('brings texts back, lone surrogates as U+FFFD', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text)
        // A space mark in a text is a space from then on.
        const expected = wellFormed(text).replaceAll('\u2581', ' ')
        expect(tokenizer.decode(ids)).toBe(expected)
        const bytes = Buffer.concat(ids.map((id) => tokenizer.bytes(id)))
        expect(bytes.toString()).toBe(expected === '' ? '' : ` ${expected}`)
      }),
    )
  })

  it('takes a long line without a space', () => {
    const text = 'abca'.repeat(75_000)
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })

  it('refuses a vocabulary without scores', () => {
    expect(() => createGgufTokenizer(spmMetadata({ 'tokenizer.ggml.scores': [1] }))).toThrow(ModelFileError)
  })
})

describe('a unigram vocabulary', () => {
  const pieces = ['<pad>', '</s>', '<unk>', '\u2581', 'a', 'b', 'ab', '\u2581a', 'ba', '\u2581aba']
  const scores = [0, 0, 0, -2, -3, -3, -4, -3.5, -6.5, -9]
  const metadata = (change: Record<string, unknown> = {}): Map<string, unknown> =>
    new Map<string, unknown>(
      Object.entries({
        'tokenizer.ggml.model': 't5',
        'tokenizer.ggml.tokens': pieces,
        'tokenizer.ggml.scores': scores,
        'tokenizer.ggml.token_type': [3, 3, 2, 1, 1, 1, 1, 1, 1, 1],
        'tokenizer.ggml.add_space_prefix': true,
        'tokenizer.ggml.unknown_token_id': 2,
        ...change,
      }),
    )
  const tokenizer = createGgufTokenizer(metadata())

  // "▁aba": "▁a"+"ba" -10, "▁a"+"b"+"a" -9.5, "▁"+"ab"+"a" -9, "▁aba" -9: of two best, the one found first ends later in the text.
  const cases: [string, string[]][] = [
    ['ab', ['\u2581', 'ab']],
    ['a b', ['\u2581a', '\u2581', 'b']],
    ['axyb', ['\u2581a', '<unk>', 'b']],
    ['bab', ['\u2581', 'b', 'ab']],
    ['', []],
  ]
  test.each(cases)('writes %j as %j', (text, expected) => {
    expect(tokenizer.encode(text).map((id) => pieces[id])).toEqual(expected)
  })

  it('finds the most likely of all ways', () => {
    const ways = (text: string): number =>
      text === ''
        ? 0
        : Math.max(
            -Infinity,
            ...pieces.slice(3).flatMap((piece, at) => (text.startsWith(piece) ? [scores[at + 3]! + ways(text.slice(piece.length))] : [])),
          )
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', ' '), { maxLength: 12 }), (letters) => {
        const text = letters.join('')
        const found = tokenizer.encode(text).reduce((sum, id) => sum + scores[id]!, 0)
        expect(found).toBeCloseTo(text === '' ? 0 : ways(`\u2581${text.replaceAll(' ', '\u2581')}`), 9)
      }),
    )
  })

  it('writes what it does not know as bytes where it has them', () => {
    const all = [...pieces, ...bytePieces]
    const types = [3, 3, 2, 1, 1, 1, 1, 1, 1, 1, ...bytePieces.map(() => 6)]
    const withBytes = createGgufTokenizer(
      metadata({
        'tokenizer.ggml.tokens': all,
        'tokenizer.ggml.scores': all.map((_, id) => scores[id] ?? 0),
        'tokenizer.ggml.token_type': types,
      }),
    )
    expect(withBytes.encode('aé').map((id) => all[id])).toEqual(['\u2581a', '<0xC3>', '<0xA9>'])
    expect(withBytes.decode(withBytes.encode('日 x'))).toBe('日 x')
  })

  it('collapses spaces where the file says so', () => {
    const tidy = createGgufTokenizer(metadata({ 'tokenizer.ggml.remove_extra_whitespaces': true }))
    expect(tidy.encode('  a   b ')).toEqual(tokenizer.encode('a b'))
  })

  it('takes a long line', () => {
    expect(tokenizer.decode(tokenizer.encode('ab'.repeat(150_000))).length).toBe(300_000)
  })

  it('refuses a damaged map of characters', () => {
    expect(() => createGgufTokenizer(metadata({ 'tokenizer.ggml.precompiled_charsmap': [9, 9, 9, 9, 9] }))).toThrow(
      /map of characters is damaged/,
    )
  })
})

describe('characterMap()', () => {
  /** A map of one entry: the byte "A" becomes "bc". Unit 0: offset 1; unit 1 ^ 65 = 64: label 65, with a leaf at offset 1; then its value 0. */
  function oneEntry(): Uint8Array {
    const units = new Uint32Array(128)
    units[0] = 1 << 10
    units[64] = (1 << 10) | (1 << 8) | 65
    units[65] = 0x8000_0000
    return new Uint8Array([...new Uint8Array(Uint32Array.of(units.byteLength).buffer), ...new Uint8Array(units.buffer), 98, 99, 0])
  }

  it('replaces what is in the map and leaves the rest', () => {
    expect(characterMap(oneEntry())!('xAAé日')).toBe('xbcbcé日')
  })

  it('never fails on damaged bytes', () => {
    const sound = oneEntry()
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.string({ maxLength: 20 }),
        (changes, text) => {
          const bytes = sound.slice()
          for (const [at, value] of changes) bytes[at] = value
          expect(['string', 'undefined']).toContain(typeof characterMap(bytes)?.(text))
        },
      ),
    )
  })
})

describe('WordPiece', () => {
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '\u2581call', '\u2581me', 'r', 's', '\u2581!', '\u2581ca']
  const tokenizer = createGgufTokenizer(
    new Map<string, unknown>(
      Object.entries({
        'tokenizer.ggml.model': 'bert',
        'tokenizer.ggml.tokens': pieces,
        'tokenizer.ggml.token_type': [3, 3, 3, 3, 1, 1, 1, 1, 1, 1],
        'tokenizer.ggml.unknown_token_id': 1,
        'tokenizer.ggml.cls_token_id': 2,
        'tokenizer.ggml.seperator_token_id': 3,
      }),
    ),
  )
  const cases: [string, string[]][] = [
    ['Cällers  me!', ['[UNK]', '\u2581me', '\u2581!']],
    ['calls CALLrs', ['\u2581call', 's', '\u2581call', 'r', 's']],
    ['xyz', ['[UNK]']],
    ['', []],
  ]
  test.each(cases)('writes %j as %j', (text, expected) => {
    expect(tokenizer.encode(text).map((id) => pieces[id])).toEqual(expected)
  })

  it('decodes words with their spaces, and frames a text', () => {
    expect(tokenizer.decode(tokenizer.encode('Call me!'))).toBe('call me !')
    expect(tokenizer.special).toMatchObject({ bos: 2, eos: 3, pad: 0 })
    expect(tokenizer.adds).toEqual({ bos: true, eos: true, space: true })
  })
})

describe('createGgufTokenizer()', () => {
  it('refuses an unknown kind and an unknown way to cut by name, and lists what it knows', () => {
    expect(() => createGgufTokenizer(spmMetadata({ 'tokenizer.ggml.model': 'rwkv' }))).toThrow(/rwkv\. Supported: gpt2, llama, t5, bert/)
    const bpe = { 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.merges': [], 'tokenizer.ggml.pre': 'unheard-of' }
    expect(() => createGgufTokenizer(spmMetadata(bpe))).toThrow(/unheard-of\. Supported: .*gpt-2, .*llama-bpe, .*qwen2/)
  })

  it('keeps whole words of the vocabulary where the rule ignores merges', () => {
    const tokens = ['a', 'b', 'c', 'ab', 'abc']
    const make = (pre: string): number[] =>
      createGgufTokenizer(
        new Map<string, unknown>(
          Object.entries({
            'tokenizer.ggml.model': 'gpt2',
            'tokenizer.ggml.pre': pre,
            'tokenizer.ggml.tokens': tokens,
            'tokenizer.ggml.merges': ['a b'],
          }),
        ),
      ).encode('abc')
    expect(make('llama-bpe')).toEqual([4])
    expect(make('gpt-2')).toEqual([3, 2])
  })
})

describe('a tokenizer.json as byte strings', () => {
  const vocab = Object.fromEntries(spm.map((piece, id) => [piece, id]))
  const merges = [
    ['b', 'c'],
    ['a', 'b'],
    ['\u2581', 'a'],
    ['\u2581a', 'b'],
    ['\u2581', 'ab'],
    ['a', 'bc'],
    ['ab', 'c'],
  ]
  const added = [0, 1, 2].map((id) => ({ id, content: spm[id], special: true })).concat([{ id: 259, content: '<tag>', special: false }])
  const json = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '\u2581' },
        { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
      ],
    },
    pre_tokenizer: null,
    post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }] },
    decoder: null,
    model: { type: 'BPE', vocab, merges, byte_fallback: true, unk_token: '<unk>' },
    ...change,
  })
  const gguf = createGgufTokenizer(spmMetadata())

  it('gives the ids of the same vocabulary in GGUF metadata', () => {
    const read = createJsonByteTokenizer(json(), { label: 'x', ids: { bos: 1, eos: 2 } })
    const metaspace = createJsonByteTokenizer(
      json({ normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first' } }),
      { label: 'x', ids: { bos: 1, eos: 2 } },
    )
    expect(read.adds).toEqual({ bos: true, eos: false, space: true })
    expect(read.special).toEqual(gguf.special)
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', ' ', 'é', '<tag>', '<s>', '日', '\n')), fc.boolean(), (parts, special) => {
        const text = parts.join('')
        expect(read.encode(text, { special })).toEqual(gguf.encode(text, { special }))
        expect(read.decode(read.encode(text))).toBe(text)
        // The Metaspace rule adds no second space to a text that begins with one.
        if (!/(^| |<s>) /.test(text)) expect(metaspace.encode(text, { special })).toEqual(gguf.encode(text, { special }))
      }),
      { numRuns: 200 },
    )
  })

  it('leaves out white space beside tokens that take it in, on the side and in the texts where they are special', () => {
    const content = (id: number, sides: Record<string, boolean>): unknown => ({ id, content: `<${id}>`, special: true, ...sides })
    const stripped = json({
      added_tokens: [content(300, { rstrip: true }), content(301, { lstrip: true }), content(302, {})],
      pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'never' },
      normalizer: null,
    })
    const read = createJsonByteTokenizer(stripped, { label: 'x' })
    const whole = (text: string): number[] => read.encode(text, { special: true })
    expect(whole('a <300> \n a')).toEqual([...whole('a '), 300, ...whole('a')])
    expect(whole('a \t<301> a')).toEqual([...whole('a'), 301, ...whole(' a')])
    expect(whole(' <301>  <300> <301> ')).toEqual([301, ...whole('  '), 300, 301, ...whole(' ')])
    expect(whole('a <302> a')).toEqual([...whole('a '), 302, ...whole(' a')])
    expect(read.decode(read.encode('a <300> a'))).toBe('a <300> a')
  })

  it('takes in the white space after special tokens of Phi 3, which its GGUF files do not say', () => {
    const phi = createGgufTokenizer(new Map([...spmMetadata(), ['general.architecture', 'phi3']]))
    expect(phi.encode('</s>\n a', { special: true })).toEqual(gguf.encode('</s>a', { special: true }))
    expect(phi.encode('<s>\n a', { special: true })).toEqual(gguf.encode('<s>\n a', { special: true }))
    expect(phi.encode('</s>\n a')).toEqual(gguf.encode('</s>\n a'))
  })

  it('reads a unigram vocabulary and byte-level text', () => {
    const entries = [
      ['<unk>', 0],
      ['\u2581', -2],
      ['a', -3],
      ['\u2581a', -3.5],
    ]
    const unigram = createJsonByteTokenizer(
      json({
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: 'Metaspace', add_prefix_space: true },
        model: { type: 'Unigram', vocab: entries, unk_id: 0 },
      }),
      { label: 'x' },
    )
    expect(unigram.encode('a aé')).toEqual([3, 3, 0])
    const letters = Object.fromEntries(Array.from(byteLevelText('aé 日'), (letter, id) => [letter, id]))
    const bytes = createJsonByteTokenizer(
      json({
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: 'ByteLevel' },
        decoder: { type: 'ByteLevel' },
        model: { type: 'BPE', vocab: letters, merges: [] },
      }),
      { label: 'x' },
    )
    expect(bytes.decode(bytes.encode('é日 a'))).toBe('é日 a')
  })
})
