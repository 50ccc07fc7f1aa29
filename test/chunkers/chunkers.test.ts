import { describe, expect, it } from 'vitest'
import { type AsyncChunker, type Chunker, sentencePacked } from '../../chunkers/index.ts'
import { chunkerFaults, chunkerSuite } from '../../testing/index.ts'
import { CHUNKERS } from './all-chunkers.ts'

for (const [name, { make, ...options }] of Object.entries(CHUNKERS)) chunkerSuite(name, make, { describe, it, expect }, options)

/** As a chunker that asks a model gives its chunks: one by one, each after a wait. */
function slowly(chunker: Chunker): AsyncChunker {
  return {
    ...chunker,
    async *chunk(document, options) {
      for (const chunk of chunker.chunk(document, options)) yield await Promise.resolve(chunk)
    },
  }
}

chunkerSuite('a chunker whose chunks are awaited', () => slowly(sentencePacked()), { describe, it, expect })

describe('chunkerFaults', () => {
  const limits = { maxTokens: 60, count: (text: string): number => text.length }

  it.each([
    ['a gap', [0, 4, 9, 12], 'leaves out text in front of it, from 4'],
    ['a missing end', [0, 4], 'the text from 4 on is in no chunk'],
    ['an overlap', [0, 8, 4, 12], 'starts before 8'],
    ['a cut grapheme', [0, 11, 11, 12], 'cuts the grapheme "e\u0301" at 11'],
  ])('names %s', (_label, offsets, fault) => {
    const text = 'The whalese\u0301'
    const cut: Chunker = {
      name: 'own',
      version: 1,
      *chunk(document) {
        for (let at = 0; at < offsets.length; at += 2) {
          const [start, end] = [offsets[at]!, offsets[at + 1]!]
          const [whole] = sentencePacked().chunk(document, limits)
          yield { ...whole!, index: at / 2, start, end, text: document.slice(start, end), tokens: end - start }
        }
      },
    }
    expect(chunkerFaults(cut, text, limits).join('\n')).toContain(fault)
  })

  it('names a chunk above the limit, also with its context in front', () => {
    const cut: Chunker = {
      name: 'own',
      version: 1,
      *chunk(document, options) {
        for (const chunk of sentencePacked().chunk(document, { ...options, maxTokens: 60 })) yield { ...chunk, context: 'Title' }
      },
    }
    expect(chunkerFaults(cut, 'Call me Ishmael.', { ...limits, maxTokens: 18 })).toEqual([
      'chunk 0 [0, 16) has 23 tokens with its context, more than 18',
    ])
  })
})
