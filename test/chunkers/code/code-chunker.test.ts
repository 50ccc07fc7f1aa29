import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Parser, Tree } from 'web-tree-sitter'
import {
  type Chunk,
  type ChunkOptions,
  codeChunker,
  type CodeChunkerOptions,
  codeLanguages,
  createDocument,
  fixedTokens,
} from '../../../chunkers/index.ts'
import { approximateCount } from '../../../models/index.ts'
import { asyncChunkerFaults, collect } from '../../../testing/chunker-faults.ts'
import { chunkerSuite } from '../../../testing/chunker-suite.ts'
import { SOURCES } from './sources.ts'

const BUDGET = 90
const limits: ChunkOptions = { maxTokens: BUDGET, count: approximateCount }

function cut(text: string, options: CodeChunkerOptions & { readonly name?: string; readonly maxTokens?: number } = {}): Promise<Chunk[]> {
  const { name = 'stdin', maxTokens = BUDGET, ...rest } = options
  return collect(codeChunker(rest).chunk(createDocument({ text, name }), { ...limits, maxTokens }))
}

const texts = (chunks: readonly Chunk[]): string[] => chunks.map(({ text }) => text)

afterEach(() => vi.restoreAllMocks())

describe.each(Object.entries(SOURCES))('code in %s', (language, { name, text, piece, inside }) => {
  it('is cut with the signatures around each piece as its context', async () => {
    const chunks = await cut(text, { name })
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.find((chunk) => chunk.text.includes(piece))?.context).toBe(inside.join('\n'))
    expect(chunks[0]?.context).toBeUndefined()
  })

  it('keeps comments, decorators and attributes in front of what they belong to', async () => {
    const chunks = await cut(text, { name })
    const last = chunks.map((chunk) => chunk.text.split('\n').at(-1)!.trim())
    expect(last.filter((line) => /^(?:\/\/|\/\*|\*|#(?!include)|@|\[\w+\]$)/.test(line))).toEqual([])
  })

  it('is one chunk where it fits', async () => {
    expect(texts(await cut(text, { name, maxTokens: 1000 }))).toEqual([text.trim()])
  })

  it('keeps every promise at any budget, with both kinds of line ends', async () => {
    for (const code of [text, text.replaceAll('\n', '\r\n')]) {
      for (const maxTokens of [8, 40, 120]) {
        const check = { maxTokens, count: (part: string) => Buffer.byteLength(part), graphemeShare: 0.7 }
        expect(await asyncChunkerFaults(codeChunker({ language }), code, check)).toEqual([])
      }
    }
  })
})

describe('the language of a text', () => {
  it('is told by its name, its first lines, its mark and the option alike', async () => {
    const { name, text } = SOURCES['python']!
    const named = texts(await cut(text, { name }))
    expect(texts(await cut(text))).toEqual(named)
    expect(texts(await cut(text, { language: 'python', name: 'notes.md' }))).toEqual(named)
    const script = `#!/usr/bin/env python3\n${text}`
    expect(texts(await cut(script, { name: 'script' }))).toEqual(texts(await cut(script, { name: 'script.py' })))
    const marks = [{ type: 'code' as const, start: 0, end: text.length, value: 'python' }]
    const marked = createDocument({ text, name: 'unnamed', format: 'code', marks })
    expect(texts(await collect(codeChunker().chunk(marked, limits)))).toEqual(named)
  })

  it.each(Object.entries(SOURCES).filter(([language]) => language !== 'tsx'))(
    'is told by the lines of %s',
    async (_language, { name, text }) => {
      expect(texts(await cut(text))).toEqual(texts(await cut(text, { name })))
    },
  )

  it('is not told of prose, which the other chunker cuts', async () => {
    const prose = 'Call me Ishmael. Some years ago I went to sea.\n\nimport duties were high, and I used my hands. '.repeat(10)
    const fixed = await collect(fixedTokens().chunk(createDocument({ text: prose, name: 'stdin' }), limits))
    expect(texts(await cut(prose, { fallback: fixedTokens() }))).toEqual(texts(fixed))
    expect(texts(await cut(prose, { name: 'moby.md', fallback: fixedTokens() }))).toEqual(texts(fixed))
  })

  it('is refused where no grammar cuts it', () => {
    expect(() => codeChunker({ language: 'cobol' })).toThrow(/^Cannot cut code as its language is not known: cobol\. Known are bash, c, /)
    expect(codeLanguages).toContain('typescript')
  })
})

describe('code without a tree', () => {
  const lines =
    'PROCEDURE sail;\n  BEGIN\n    course := chart(days);\n    log(course)\n  END;\n\nPROCEDURE home;\n  BEGIN\n    pay(crew)\n  END;\n'

  it('is cut at blank lines and least indented lines where its language has no grammar', async () => {
    const document = createDocument({
      text: lines,
      name: 'ship.lua',
      format: 'code',
      marks: [{ type: 'code', start: 0, end: lines.length, value: 'lua' }],
    })
    const chunks = await collect(codeChunker().chunk(document, { maxTokens: 45, count: approximateCount }))
    expect(texts(chunks)).toEqual(lines.trim().split('\n\n'))
  })

  it('is cut in the same way where most of it is no code of its language', async () => {
    expect(texts(await cut(lines, { language: 'css', maxTokens: 45 }))).toEqual(lines.trim().split('\n\n'))
  })

  it('is cut in the same way where it takes too long to parse', async () => {
    const { text } = SOURCES['typescript']!
    let time = 0
    const long = text.repeat(20)
    const slow = await cut(long, { language: 'typescript', now: () => (time += 1e6) })
    expect(slow.every(({ context }) => context === undefined)).toBe(true)
    expect((await cut(long, { language: 'typescript' })).some(({ context }) => context !== undefined)).toBe(true)
  })
})

describe('hostile code', () => {
  const hostile = {
    'a line of many functions': 'function a(b){if(b>1){return b.map(x=>x*2)}else{throw new Error("no")}};var d={e:[1,2,3]};'.repeat(300),
    'functions in functions': `${'function f(){'.repeat(1_000)}${'}'.repeat(1_000)}`,
    'open brackets': 'x=([{'.repeat(1_000),
    'a chain of signs': `x=${'"a"+'.repeat(3_000)}"b"`,
    'a string without an end': `x = "${'abcdefgh'.repeat(3_000)}`,
    'a list of many entries': `x=[${'1,'.repeat(8_000)}]`,
    'marks over brackets': 'f(\u0301)\u0301{\u0308 "🐳\u200D" }\u0301\r\n'.repeat(500),
    'bytes of no text': '\u0000\u0001{\u0000}\u0007;\uFFFD'.repeat(500),
  }

  it.each(Object.entries(hostile))('keeps its promises on %s', async (_name, text) => {
    const check = { maxTokens: 200, count: approximateCount, graphemeShare: 0.7 }
    for (const language of ['javascript', 'c++']) {
      const chunker = codeChunker({ language })
      expect(await asyncChunkerFaults(chunker, text, check)).toEqual([])
    }
  })

  it('names no more than eight signatures', async () => {
    const chunks = await cut(hostile['functions in functions'], { language: 'javascript', maxTokens: 300 })
    expect(Math.max(...chunks.map(({ context }) => context?.split('\n').length ?? 0))).toBe(8)
  })

  it('frees its trees and parsers, also where the reader leaves early', async () => {
    const trees = vi.spyOn(Tree.prototype, 'delete')
    const parsers = vi.spyOn(Parser.prototype, 'delete')
    const { text } = SOURCES['java']!
    for await (const _ of codeChunker({ language: 'java' }).chunk(createDocument({ text, name: 'x' }), limits)) break
    await cut('what is this', { language: 'java' })
    expect([trees.mock.calls.length, parsers.mock.calls.length]).toEqual([2, 2])
  })
})

const fragments = fc.oneof(
  fc.constantFrom(...Object.values(SOURCES).flatMap(({ text }) => text.split('\n\n'))),
  fc.constantFrom('{', '}', '(', ')', '\n', '\r\n', '"', "'", '/*', '*/', '//', '#', '`', '<<A\n', '\u0301', '🐳', '👩‍👩‍👧', '我'),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
)
const programs = fc.array(fragments, { maxLength: 15 }).map((list) => list.join('\n'))

describe('random programs', () => {
  it.each(codeLanguages)('keeps its promises in %s', async (language) => {
    const chunker = codeChunker({ language })
    await fc.assert(
      fc.asyncProperty(programs, fc.integer({ min: 4, max: 300 }), async (text, maxTokens) => {
        const check = { maxTokens, count: (part: string) => Math.ceil(Buffer.byteLength(part) / 4), graphemeShare: 0.7 }
        expect(await asyncChunkerFaults(chunker, text, check)).toEqual([])
      }),
      { numRuns: 15 },
    )
  })
})

const suite = { ahead: Infinity, graphemeShare: 0.7 }
chunkerSuite('codeChunker', () => codeChunker(), { describe, it, expect }, suite)
