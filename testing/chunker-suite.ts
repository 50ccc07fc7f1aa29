import { type AsyncChunker, type Chunk, type Chunker, type ChunkOptions, createDocument, type Document } from '../chunkers/index.ts'
import { asyncChunkerFaults, collect } from './chunker-faults.ts'
import { CHUNKER_DOCUMENTS, CHUNKER_TEXTS } from './chunker-texts.ts'
import type { TestRunner } from './test-runner.ts'

/** What is asked of one chunker beside the defaults. */
export interface ChunkerSuiteOptions {
  /** More texts to try, beside the suite's own. */
  readonly texts?: Readonly<Record<string, string>>
  /** A grapheme with more than this share of `maxTokens` may be cut; 1 by default, less for chunkers that keep room for a context. */
  readonly graphemeShare?: number
  /**
   * Most characters that are counted ahead of what is given out, 100,000 by default; Infinity for a chunker that has to see the whole text before its
   * first chunk, as its documentation then says.
   */
  readonly ahead?: number
}

/** Most times that a character may be counted, beside those ahead. */
const COUNTED = 16

/**
 * The conformance suite of `Chunker` and `AsyncChunker`: what every chunker promises, over texts that are hard to cut.
 *
 * That chunks are made while they are taken, in linear time and without keeping the document's pieces, is checked without a clock: the counter is the
 * witness. What was counted when a chunk is handed out is at most 16 times the text up to that chunk, plus `ahead`.
 *
 * @param name name of the implementation
 * @param make makes the chunker under test
 * @param runner the caller's test runner
 */
export function chunkerSuite(
  name: string,
  make: () => Chunker | AsyncChunker,
  runner: TestRunner,
  options: ChunkerSuiteOptions = {},
): void {
  const { describe, it, expect } = runner
  const { texts = {}, graphemeShare = 1, ahead = 100_000 } = options
  describe(`${name} is a chunker`, () => {
    for (const [label, text] of [...Object.entries({ ...CHUNKER_TEXTS, ...texts }), ...Object.entries(CHUNKER_DOCUMENTS)]) {
      const document = typeof text === 'string' ? makeDocument(text) : createDocument(text)
      for (const [counter, count] of Object.entries(COUNTERS)) {
        // Small limits on the longest texts would take minutes and say nothing new.
        for (const maxTokens of document.text.length > 20_000 ? [1000] : [8, 60, 1000]) {
          it(`keeps its promises on ${label} at ${maxTokens} ${counter}`, async () => {
            expect(await asyncChunkerFaults(make(), document, { maxTokens, count, graphemeShare })).toEqual([])
          })
        }
      }
    }
    it('gives no chunk for nothing and for white space', async () => {
      for (const text of ['', ' ', '\r\n\r\n\t ']) {
        expect(await collect(make().chunk(makeDocument(text), { maxTokens: 8, count: countWords }))).toEqual([])
      }
    })
    it('refuses a limit that is no whole number above 0', async () => {
      for (const maxTokens of [0, -1, 1.5, Number.NaN]) {
        expect((await failure(make(), 'text', { maxTokens, count: countWords })) instanceof RangeError).toBe(true)
      }
    })
    it('stops with the reason of its signal', async () => {
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      expect(await failure(make(), 'One. Two.', { maxTokens: 8, count: countWords, signal })).toBe(reason)
    })
    it('stops between two chunks when its signal aborts', async () => {
      const reason = new Error('enough')
      const controller = new AbortController()
      const taken: Chunk[] = []
      const limits = { maxTokens: 8, count: countWords, signal: controller.signal }
      const stopped = await failure(make(), CHUNKER_TEXTS['a long sentence']!, limits, (chunk) => {
        taken.push(chunk)
        controller.abort(reason)
      })
      expect([stopped, taken.length]).toEqual([reason, 1])
    })
    const test = ahead === Infinity ? it.skip : it
    test('gives chunks while it cuts: what is counted stays near what is given out', async () => {
      expect(await lags(make(), STREAMED, ahead)).toEqual([])
    })
    it('has a name and a whole version', () => {
      const chunker = make()
      expect(chunker.name.length > 0 && Number.isInteger(chunker.version)).toBe(true)
    })
  })
}

/** Where the counter was handed more than the chunks given out so far account for. */
async function lags(chunker: Chunker | AsyncChunker, text: string, ahead: number): Promise<string[]> {
  const found: string[] = []
  let counted = 0
  const count = (part: string): number => {
    counted += part.length
    return Math.ceil(part.length / 4)
  }
  for await (const { index, end } of chunker.chunk(makeDocument(text), { maxTokens: 200, count })) {
    if (counted > COUNTED * end + ahead) found.push(`chunk ${index} ends at ${end}, ${counted} characters were counted before it came`)
  }
  return found
}

function makeDocument(text: string): Document {
  return createDocument({ text, name: 'suite' })
}

/** What cutting a text throws; undefined when it does not. */
async function failure(
  chunker: Chunker | AsyncChunker,
  text: string,
  options: ChunkOptions,
  take: (chunk: Chunk) => void = () => {},
): Promise<unknown> {
  try {
    for await (const chunk of chunker.chunk(makeDocument(text), options)) take(chunk)
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

/** Long enough that a chunker which counts all of it first is told from one that does not. */
const STREAMED = 'The whale rose from the deep sea, and breathed. It was a cloudy day.\n\nAnother paragraph follows it here.\n\n'.repeat(
  4_000,
)
