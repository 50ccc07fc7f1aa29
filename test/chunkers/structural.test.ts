import { describe, expect, it } from 'vitest'
import {
  type Chunk,
  type Chunker,
  contextual,
  createDocument,
  defineChunker,
  type DocumentInit,
  mergeTiny,
  parentChild,
  recursive,
  structural,
} from '../../chunkers/index.ts'

const words = (text: string): number => text.match(/\S+/g)?.length ?? 0

function cut(chunker: Chunker, init: Partial<DocumentInit> & { readonly text: string }, maxTokens: number): Chunk[] {
  return [...chunker.chunk(createDocument({ name: 'a.md', ...init }), { maxTokens, count: words })]
}

const textsOf = (chunks: readonly Chunk[]): string[] => chunks.map(({ text }) => text)

describe('recursive', () => {
  it('cuts at the largest separator that comes within the budget', () => {
    const text = 'One two.\n\nThree four. Five six seven.\n\nEight nine.'
    expect(textsOf(cut(recursive(), { text }, 4))).toEqual(['One two.', 'Three four.', 'Five six seven.', 'Eight nine.'])
  })

  it('takes separators of its own, those of one level together', () => {
    expect(textsOf(cut(recursive({ separators: [['|', '/']] }), { text: 'a b|c d/e f' }, 2))).toEqual(['a b|', 'c d/', 'e f'])
    expect(() => recursive({ separators: [['']] })).toThrow(RangeError)
  })
})

describe('structural', () => {
  it('cuts before sections, the highest first, and keeps a heading with its text', () => {
    const text = '# A\n\nOne two three.\n\n## B\n\nFour five.\n\n# C\n\nSix seven eight.'
    expect(textsOf(cut(structural(), { text }, 12))).toEqual(['# A\n\nOne two three.\n\n## B\n\nFour five.', '# C\n\nSix seven eight.'])
    expect(textsOf(cut(structural(), { text }, 6))).toEqual(['# A\n\nOne two three.', '## B\n\nFour five.', '# C\n\nSix seven eight.'])
  })

  it('carries the header of a table that is cut, and parts no row', () => {
    const rows = Array.from({ length: 12 }, (_, at) => `| ship ${at} | sails on | ${at} |`)
    const header = '| name | state | crew |'
    const chunks = cut(structural(), { text: `${header}\n| - | - | - |\n${rows.join('\n')}` }, 48)
    expect(chunks.length).toBeGreaterThan(2)
    expect(chunks[0]!.text.startsWith(header)).toBe(true)
    expect(chunks.slice(1).map(({ context }) => context)).toEqual(chunks.slice(1).map(() => header))
    expect(chunks.flatMap(({ text }) => text.split('\n')).slice(2)).toEqual(rows)
  })

  it('parts no list item and no block of code that fits', () => {
    const text = '- one two three\n\n  more of one\n- four five six\n\n```\na b\n\nc d\n```'
    expect(textsOf(cut(structural(), { text }, 9))).toEqual(['- one two three\n\n  more of one', '- four five six', '```\na b\n\nc d\n```'])
  })

  it('cuts between the turns of speakers, and not within what one says', () => {
    const turns = ['One two. Three four.', 'Five six.', 'Seven eight nine ten.']
    const speakers = ['Ahab', 'Ahab', 'Starbuck']
    let text = ''
    const marks = turns.map((turn, at) => {
      const start = text.length
      text += `${turn}\n`
      return { type: 'speaker' as const, start, end: start + turn.length, value: speakers[at]! }
    })
    expect(textsOf(cut(structural(), { text, name: 'a.vtt', marks }, 8))).toEqual([
      'One two. Three four.\nFive six.',
      'Seven eight nine ten.',
    ])
  })

  it('cuts before a slide, and not before a page that goes on with a sentence', () => {
    const text = 'One two three\n\nfour five. Six seven.\n\nEight nine.'
    const at = (part: string): number => text.indexOf(part)
    const pages = (kind: 'page' | 'slide') => [
      { number: 1, kind, start: 0, end: at('four') - 2 },
      { number: 2, kind, start: at('four'), end: text.length },
    ]
    expect(textsOf(cut(structural(), { text, name: 'a.pdf', pages: pages('slide') }, 7))).toEqual([
      'One two three',
      'four five. Six seven.\n\nEight nine.',
    ])
    expect(textsOf(cut(structural(), { text, name: 'a.pdf', pages: pages('page') }, 7))[0]).toBe('One two three\n\nfour five.')
  })

  it('refuses a fill that is no share', () => {
    expect(() => structural({ fill: 2 })).toThrow('Cannot cut by structure as fill must be a share from 0 to 1: 2')
  })
})

describe('contextual', () => {
  it('puts title, sections, page and speaker in front, as far as they fit', () => {
    const text = '# A\n\n## B\n\nOne two three four five six.'
    const [chunk] = cut(
      contextual(structural()),
      { text, title: 'The Whale', pages: [{ number: 3, kind: 'page', start: 0, end: text.length }] },
      40,
    )
    expect(chunk!.context).toBe('The Whale\nA\np. 3')
    const [short] = cut(contextual(structural(), { parts: ['title', 'sections'] }), { text, title: 'The Whale and more' }, 11)
    expect(short!.context).toBe('A')
  })
})

describe('mergeTiny', () => {
  const byParagraph = defineChunker({
    name: 'paragraph',
    version: 1,
    *cut(text) {
      for (const match of text.matchAll(/.+/g)) yield [match.index, match.index + match[0].length]
    },
  })

  it('joins a tiny chunk to the neighbour of its section, though the other is smaller', () => {
    const text = '# A\n\nOne two three four.\n\nFive.\n\n# B\n\nSix seven eight nine ten.'
    expect(textsOf(cut(mergeTiny(byParagraph, { least: 0.25 }), { text }, 9))).toEqual([
      '# A\n\nOne two three four.\n\nFive.',
      '# B\n\nSix seven eight nine ten.',
    ])
  })

  it('leaves what has no room in a neighbour', () => {
    const text = 'One two three.\n\nFour.\n\nFive six seven.'
    expect(textsOf(cut(mergeTiny(byParagraph, { least: 1 }), { text }, 3))).toEqual(['One two three.', 'Four.', 'Five six seven.'])
  })
})

describe('parentChild', () => {
  it('gives children in their parents, with the sections of the whole', () => {
    const text = '# A\n\nOne two. Three four.\n\n# B\n\nFive six. Seven eight.'
    const chunks = cut(parentChild({ parent: structural(), child: recursive(), times: 2 }), { text }, 4)
    expect(chunks.map(({ parent }) => parent && text.slice(parent.start, parent.end))).toEqual(
      chunks.map(({ start }) => (start < text.indexOf('# B') ? '# A\n\nOne two. Three four.' : '# B\n\nFive six. Seven eight.')),
    )
    expect(chunks.map(({ sections }) => sections[0])).toEqual(chunks.map(({ start }) => (start < text.indexOf('# B') ? 'A' : 'B')))
    expect(() => parentChild({ parent: structural(), child: recursive(), times: 0.5 })).toThrow(RangeError)
  })
})
