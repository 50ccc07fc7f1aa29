import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Chunk, contentDefined, createDocument, type Document, rechunk, sentencePacked } from '../../chunkers/index.ts'
import { chunkerFaults } from '../../testing/chunker-faults.ts'
import { chunkerSuite } from '../../testing/chunker-suite.ts'

chunkerSuite('contentDefined', contentDefined, { describe, it, expect })
chunkerSuite('contentDefined with no least fill', () => contentDefined({ fill: 0 }), { describe, it, expect })

const count = (text: string): number => text.match(/[\p{L}\p{N}]{1,4}|[^\p{L}\p{N}\s]/gu)?.length ?? 0
const read = (text: string, sections = true): Document => createDocument({ name: 'text.md', text, ...(sections ? {} : { sections: [] }) })
const cut = (document: Document, maxTokens = 100, fill?: number): Chunk[] => [
  ...contentDefined(fill === undefined ? {} : { fill }).chunk(document, { maxTokens, count }),
]

/** Paragraphs of sentences that differ. */
function novel(paragraphs: number, seed = ''): string {
  return Array.from({ length: paragraphs }, (_, at) =>
    Array.from(
      { length: 1 + ((at * 7) % 5) },
      (__, of) => `In chapter ${seed}${at} the mate told story ${of} of the ${(at * of) % 13} whales.`,
    ).join(' '),
  ).join('\n\n')
}

describe('contentDefined()', () => {
  it('ends chunks between paragraphs where there are some, never below its fill', () => {
    const document = read(novel(200), false)
    const chunks = cut(document)
    for (const chunk of chunks.slice(0, -1)) {
      expect(document.text.slice(chunk.end, chunk.end + 2)).toBe('\n\n')
      expect(chunk.tokens).toBeGreaterThanOrEqual(50)
    }
  })

  it('prefers a section to a paragraph, and a higher section to a lower', () => {
    const paragraph = `${'The sea was calm all day. '.repeat(4).trim()}\n\n`
    const text = `${paragraph.repeat(2)}## Low\n\n${paragraph}# High\n\n${paragraph}## Low\n\n${paragraph.repeat(9)}`
    const [first, second] = cut(read(text), 150, 0.2)
    expect(first?.end).toBeLessThan(text.indexOf('# High'))
    expect(second?.text.startsWith('# High')).toBe(true)
  })

  it.each([0.1, 0.5, 0.7])('cuts an edited text as before soon after the edit, from %d full on', (fill) => {
    const text = novel(2_000)
    const before = new Set(cut(read(text, false), 100, fill).map(({ hash }) => hash))
    for (const place of [0, 0.3, 0.7]) {
      const at = text.indexOf('\n\n', place * text.length)
      const edited = `${text.slice(0, at)}\n\nOne paragraph was added here by night.${text.slice(at)}`
      const chunks = cut(read(edited, false), 100, fill)
      expect(chunks.filter(({ hash }) => !before.has(hash)).length).toBeLessThan(chunks.length / 15)
    }
  })

  it('keeps its cuts where greedy packing shifts them all', () => {
    const text = novel(1_000)
    const edited = `A word before.\n\n${text}`
    const anew = (chunks: (document: Document) => readonly Chunk[]): number => {
      const before = new Set(chunks(read(text, false)).map(({ hash }) => hash))
      return chunks(read(edited, false)).filter(({ hash }) => !before.has(hash)).length
    }
    expect(anew((document) => cut(document))).toBeLessThan(10)
    expect(anew((document) => [...sentencePacked().chunk(document, { maxTokens: 100, count })])).toBeGreaterThan(100)
  })

  it.each([-0.1, 1, Number.NaN])('refuses a fill of %d', (fill) => {
    expect(() => contentDefined({ fill })).toThrow(RangeError)
  })
})

const words = fc.constantFrom(
  'whale',
  'The mate',
  'sea.',
  'Call me!',
  'Mr.',
  '\n\n',
  '\n',
  ' ',
  '  \n \n',
  '\r\n\r\n',
  '# One\n',
  '## Two\n',
  '🐳',
  '我出海。',
  'é',
  '. ',
)
const texts = fc.array(words, { maxLength: 80 }).map((list) => list.join(' '))
const novels = fc.integer({ min: 1, max: 60 }).map((paragraphs) => novel(paragraphs))
const counters: Readonly<Record<string, (text: string) => number>> = {
  words: count,
  // White space before a unit counts, and a marker at the start.
  'pieces and a marker': (text) => 1 + (text.match(/\s+|\S{1,3}/gu)?.length ?? 0),
  superadditive: (text) => Math.ceil(text.length / 4) + Math.floor((text.length / 200) ** 2),
}

describe('contentDefined() on random texts', () => {
  it.each(Object.entries(counters))('keeps its promises, counted in %s', (_, counter) => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 8, max: 200 }), fc.constantFrom(0, 0.5, 0.9), (text, maxTokens, fill) => {
        expect(chunkerFaults(contentDefined({ fill }), text, { maxTokens, count: counter })).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('rechunk()', () => {
  const spans = (chunks: readonly Chunk[]): unknown =>
    chunks.map(({ index, start, end, tokens, hash, sections }) => [index, start, end, tokens, hash, sections])

  it.each(Object.entries(counters))('gives what cutting the whole edited text gives, counted in %s', (_, counter) => {
    fc.assert(
      fc.property(
        fc.oneof(texts, novels),
        fc.nat(),
        fc.nat({ max: 200 }),
        texts,
        fc.integer({ min: 8, max: 120 }),
        fc.constantFrom(0, 0.5, 0.9),
        (text, from, length, inserted, maxTokens, fill) => {
          const start = safe(text, from % (text.length + 1))
          const end = safe(text, Math.min(text.length, start + length))
          const options = { maxTokens, count: counter, fill }
          const old = read(text)
          const now = read(text.slice(0, start) + inserted + text.slice(end))
          const chunker = contentDefined({ fill })
          const previous = { document: old, chunks: [...chunker.chunk(old, options)] }
          expect(spans(rechunk(previous, now, options))).toEqual(spans([...chunker.chunk(now, options)]))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('counts around the edit only', () => {
    const text = novel(3_000)
    const old = read(text, false)
    const previous = { document: old, chunks: cut(old) }
    const at = text.indexOf('\n\n', text.length / 2)
    const now = read(`${text.slice(0, at)}\n\nOne more paragraph.${text.slice(at)}`, false)
    let counted = 0
    const counting = (part: string): number => {
      counted += part.length
      return count(part)
    }
    const chunks = rechunk(previous, now, { maxTokens: 100, count: counting })
    expect(spans(chunks)).toEqual(spans(cut(now)))
    expect(counted).toBeLessThan(text.length / 10)
  })

  it('takes the same document over as it is', () => {
    const document = read(novel(100))
    const chunks = cut(document)
    expect(spans(rechunk({ document, chunks }, document, { maxTokens: 100, count }))).toEqual(spans(chunks))
  })
})

/** An offset out of surrogate pairs, so that both texts are well formed. */
function safe(text: string, at: number): number {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(at - 1, at + 1)) ? at - 1 : at
}
