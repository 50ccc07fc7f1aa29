import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  citationHtml,
  createDocument,
  type Document,
  type Mark,
  pageBoxes,
  placeOf,
  restoreDocument,
  saveDocument,
  type Section,
} from '../../../chunkers/index.ts'
import { DocumentError } from '../../../errors/index.ts'
import { cutsSurrogatePair } from '../../../chunkers/surrogates.ts'
import { expectSound, read } from './read.ts'

/** Random text of any script, rich in what borders are made of. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '\n',
      '\r\n',
      '\r',
      '\u2028',
      '\t',
      ' ',
      '"',
      "'",
      ',',
      ';',
      '|',
      '#',
      '# ',
      '- ',
      '```',
      '<',
      '>',
      '&',
      '[',
      ']',
      '{',
      '}',
      ':',
      '🐳',
      '👩‍👩‍👧',
      'שלום',
      '鲸',
      '\u0301',
      '\u200F',
      '\uFEFF',
    ),
  },
)
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))

/** Reads, and lets nothing but a typed error pass. */
async function readOrRefuse(content: string | Uint8Array, name: string): Promise<Document | undefined> {
  try {
    return await read(content, name)
  } catch (error) {
    expect(error).toBeInstanceOf(DocumentError)
    return undefined
  }
}

/** What holds of every document. */
function expectConsistent(document: Document): void {
  expectSound(document)
  const { length } = document.text
  for (const offset of [0, length, Math.floor(length / 2), Math.floor(length / 3)]) {
    const { line, column } = document.locate(offset)
    const lineStart = document.text.lastIndexOf('\n', offset - 1) + (offset === 0 ? 0 : 1)
    expect(line).toBe(document.text.slice(0, offset).split('\n').length)
    expect(column).toBe(offset - (offset === 0 ? 0 : lineStart) + 1)
  }
  const restored = restoreDocument(JSON.parse(JSON.stringify(saveDocument(document))))
  expect(saveDocument(restored)).toEqual(saveDocument(document))
}

describe('a document of any text', () => {
  it('slices, locates, cites and comes back from what was saved', () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (content, a, b) => {
        const document = createDocument({ text: content, name: 'a' })
        const [start, end] = [a % (content.length + 1), b % (content.length + 1)].toSorted((x, y) => x - y) as [number, number]
        if (cutsSurrogatePair(content, start) || cutsSurrogatePair(content, end))
          expect(() => document.slice(start, end)).toThrow(RangeError)
        else {
          expect(document.slice(start, end)).toBe(content.slice(start, end))
          expect(citationHtml(document, { start, end }, { around: 5 })).not.toMatch(/\p{Surrogate}/u)
          expect(pageBoxes(document, { start, end })).toEqual([])
        }
        expect(placeOf(document, start)).toMatch(/^a line \d+$/)
        expectConsistent(document)
      }),
      { numRuns: 1_000, seed: 1 },
    )
  })

  it('takes spans that lie in it and refuses others, and never anything between', () => {
    const span = fc.record({ start: fc.integer({ min: -1, max: 40 }), end: fc.integer({ min: -1, max: 40 }) })
    const marks = fc.array(
      span.map((one): Mark => ({ ...one, type: 'bold' })),
      { maxLength: 3 },
    )
    const sections = fc.array(
      span.map((one): Section => ({ ...one, title: 't', level: 1 })),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(text, marks, sections, fc.array(span, { maxLength: 3 }), (content, someMarks, someSections, spans) => {
        const pages = spans.map((one, at) => ({ ...one, number: at + 1, kind: 'page' as const }))
        let document: Document
        try {
          document = createDocument({ text: content, name: 'a', marks: someMarks, sections: someSections, pages })
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          return
        }
        expectConsistent(document)
      }),
      { numRuns: 1_000, seed: 2 },
    )
  })

  it('refuses a text with half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0xd800, max: 0xdbff }), (content, half) => {
        expect(() => createDocument({ text: `${content}${String.fromCharCode(half)}`, name: 'a' })).toThrow(DocumentError)
      }),
      { numRuns: 100, seed: 3 },
    )
  })

  it('is restored from nothing but what was saved', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('sections', 'pages', 'marks', 'notes', 'text', 'name', 'title'), (value, key) => {
        const saved = { ...saveDocument(createDocument({ text: 'Text 🐳', name: 'a' })), [key]: value }
        try {
          expectConsistent(restoreDocument(saved))
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentError)
        }
      }),
      { numRuns: 500, seed: 4 },
    )
  })
})

const wrapped: readonly (readonly [format: string, name: string, wrap: (pieces: string) => string])[] = [
  ['CSV', 'a.csv', (pieces) => `a,b\n${pieces},1\n"${pieces}",2`],
  ['Markdown', 'a.md', (pieces) => `# ${pieces}\n\n${pieces}\n\n| a | b |\n| --- | --- |\n| ${pieces} | 1 |\n`],
  ['SubRip', 'a.srt', (pieces) => `1\n00:00:01,000 --> 00:00:02,000\n${pieces}\n\n2\n00:00:03,000 --> 00:00:04,000\n${pieces}`],
  ['WebVTT', 'a.vtt', (pieces) => `WEBVTT\n\n00:01.000 --> 00:02.000\n<v ${pieces}>${pieces}\n`],
  ['JSON', 'a.json', (pieces) => JSON.stringify({ [pieces]: [pieces] })],
  ['JSON of nothing but pieces', 'a.json', (pieces) => `{"a": ${pieces}}`],
  ['chats', 'a.txt', (pieces) => `[12/03/2024, 14:05:22] ${pieces}: ${pieces}\n[12/03/2024, 14:06:22] Ahab: ${pieces}`],
  ['Slack', 'a.json', (pieces) => JSON.stringify([{ type: 'message', ts: '1710252322.000100', user: pieces, text: pieces }])],
  ['code', 'a.ts', (pieces) => pieces],
  ['text', 'a', (pieces) => pieces],
]

/** Formats whose text is kept as it is. */
const KEPT = new Set(['csv', 'markdown', 'text', 'code', 'jsonl'])

describe('texts of random pieces', () => {
  it.each(wrapped)('of %s become documents, or are refused', async (_, name, wrap) => {
    await fc.assert(
      fc.asyncProperty(text, async (pieces) => {
        const content = wrap(pieces)
        const document = await readOrRefuse(content, name)
        if (!document) return
        expectConsistent(document)
        if (KEPT.has(document.format ?? '')) expect(document.text).toBe(content.replace(/^\uFEFF/, ''))
      }),
      { numRuns: 300, seed: 5 },
    )
  })

  it('of HTML become documents, or are refused', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (pieces) => {
        const document = await readOrRefuse(
          `<!doctype html><title>${pieces}</title><p class="${pieces}">${pieces}<ul><li>${pieces}<table><tr><td>${pieces}<td>x</table>`,
          'a.html',
        )
        if (document) expectConsistent(document)
      }),
      { numRuns: 100, seed: 6 },
    )
  })

  it('of bytes become documents, or are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('a', 'a.txt', 'a.csv', 'a.html'), async (bytes, name) => {
        const document = await readOrRefuse(bytes, name)
        if (document) expectConsistent(document)
      }),
      { numRuns: 500, seed: 7 },
    )
  })
})
