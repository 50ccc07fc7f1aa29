import { type Chunk, type Chunker, createDocument } from '../chunkers/index.ts'
import type { TestRunner } from './test-runner.ts'

/** More texts to try, beside the suite's own. */
export interface ChunkerSuiteOptions {
  readonly texts?: Readonly<Record<string, string>>
}

/**
 * The conformance suite of `Chunker`: what every chunker promises, over texts that are hard to cut.
 *
 * @param name name of the implementation
 * @param make makes the chunker under test
 * @param runner the caller's test runner
 */
export function chunkerSuite(name: string, make: () => Chunker, runner: TestRunner, options: ChunkerSuiteOptions = {}): void {
  const { describe, it, expect } = runner
  describe(`${name} is a chunker`, () => {
    for (const [label, text] of Object.entries({ ...TEXTS, ...options.texts })) {
      for (const [counter, count] of Object.entries(COUNTERS)) {
        // Small limits on the longest texts would take minutes and say nothing new.
        for (const maxTokens of text.length > 20_000 ? [1000] : [8, 60, 1000]) {
          it(`keeps its promises on ${label} at ${maxTokens} ${counter}`, () => {
            expect(chunkerFaults(make(), text, { maxTokens, count })).toEqual([])
          })
        }
      }
    }
    it('gives no chunk for nothing and for white space', () => {
      for (const text of ['', ' ', '\r\n\r\n\t '])
        expect([...make().chunk(makeDocument(text), { maxTokens: 8, count: countWords })]).toEqual([])
    })
    it('refuses a limit that is no whole number above 0', () => {
      for (const maxTokens of [0, -1, 1.5, Number.NaN]) {
        expect(thrownBy(() => [...make().chunk(makeDocument('text'), { maxTokens, count: countWords })]) instanceof RangeError).toBe(true)
      }
    })
    it('stops with the reason of its signal', () => {
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      expect(thrownBy(() => [...make().chunk(makeDocument('One. Two.'), { maxTokens: 8, count: countWords, signal })])).toBe(reason)
    })
    it('has a name and a whole version', () => {
      const chunker = make()
      expect(chunker.name.length > 0 && Number.isInteger(chunker.version)).toBe(true)
    })
  })
}

/** What a chunker breaks of its promises on one text, in words; empty when it keeps them all. For property tests with any generator. */
export function chunkerFaults(
  chunker: Chunker,
  text: string,
  options: { readonly maxTokens: number; readonly count: (text: string) => number },
): string[] {
  const document = makeDocument(text)
  const chunks = [...chunker.chunk(document, options)]
  const faults: string[] = []
  let previous = 0
  chunks.forEach((chunk, index) => {
    const fault = (what: string): void => void faults.push(`chunk ${index} [${chunk.start}, ${chunk.end}) ${what}`)
    if (chunk.index !== index) fault(`has index ${chunk.index}`)
    if (chunk.documentId !== document.id) fault(`has document id ${chunk.documentId}`)
    if (chunk.start < previous) fault(`starts before ${previous}`)
    if (text.slice(previous, chunk.start).trim() !== '') fault(`leaves out text in front of it, from ${previous}`)
    if (chunk.text.trim() === '') fault('is empty')
    if (chunk.text !== text.slice(chunk.start, chunk.end)) fault('has another text than its span')
    if (partsPair(text, chunk.start) || partsPair(text, chunk.end)) fault('cuts a surrogate pair or a CRLF')
    if (chunk.tokens !== options.count(chunk.text)) fault(`says ${chunk.tokens} tokens, its text has ${options.count(chunk.text)}`)
    if (chunk.tokens > options.maxTokens) fault(`has ${chunk.tokens} tokens, more than ${options.maxTokens}`)
    previous = chunk.end
  })
  if (text.slice(previous).trim() !== '') faults.push(`the text from ${previous} on is in no chunk`)
  const again = [...chunker.chunk(makeDocument(text), options)]
  if (fingerprint(again) !== fingerprint(chunks)) faults.push('the same text gives other chunks the second time')
  return faults
}

function makeDocument(text: string): ReturnType<typeof createDocument> {
  return createDocument({ text, name: 'suite' })
}

function fingerprint(chunks: readonly Chunk[]): string {
  return JSON.stringify(chunks)
}

function partsPair(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false
  const pair = text.slice(at - 1, at + 1)
  return pair === '\r\n' || /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(pair)
}

function thrownBy(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    return error
  }
  return undefined
}

/** Words, long ones counted in parts of four, marks by themselves. */
function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]{1,4}|[^\p{L}\p{N}\s]/gu)?.length ?? 0
}

const COUNTERS: Readonly<Record<string, (text: string) => number>> = {
  words: countWords,
  bytes: (text) => new TextEncoder().encode(text).length,
  // As tokenizers with a marker at the start do: joining takes tokens away. White space costs.
  'pieces and a marker': (text) => 1 + (text.match(/\s+|\S{1,3}/gu)?.length ?? 0),
}

const TEXTS: Readonly<Record<string, string>> = {
  'one word': 'whale',
  'short sentences': 'Call me Ishmael. Some years ago I went to sea. Why? It is a way I have!\n\nThe second paragraph is here.\n',
  'hard-wrapped lines with CRLF':
    'It was a cloudy, sultry afternoon; the seamen\r\nwere lazily lounging about the decks.\r\n\r\nAnother paragraph\r\nfollows it.\r\n'.repeat(
      20,
    ),
  'a long sentence': `${'and the sea rolled on, '.repeat(400)}as it rolled long ago.`,
  'a line of 100,000 characters without a space': 'abcdefghij'.repeat(10_000),
  'a line of 100,000 characters': 'word '.repeat(20_000),
  'scripts without spaces': '我叫以实玛利。几年以前，我出海去了。'.repeat(60) + 'ฉันชื่ออิชมาเอล'.repeat(60),
  'emoji and joined emoji': '👩‍👩‍👧‍👦🐳🇬🇧👍🏽'.repeat(50),
  'mixed scripts': 'שלום עולם. Привет, мир! नमस्ते दुनिया। Γειά σου Κόσμε; hello 🌍.\n'.repeat(30),
  'blank lines and odd white space': '\uFEFF\n\n\u00A0a\u2003b\n \t\n\r\n\r\nc\n\n\n\n\u3000d\r\n\r',
  headings:
    '# One\n\nText of one. More.\n\n## Two\n\nText of two.\n\nCHAPTER 1. Loomings.\n\nCall me Ishmael.\n\nCHAPTER 2\n\nThe Carpet-Bag\n\nI stuffed a shirt.\n',
}
