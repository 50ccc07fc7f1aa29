import { describe, expect, it } from 'vitest'
import type { MemoryHit } from '../../memory/index.ts'
import { rerankTurns } from '../../workflows/rerank-turns.ts'

function hit(index: number, text: string, parts: Partial<MemoryHit> & { readonly summary?: string } = {}): MemoryHit {
  const { summary, score = 0.5, words = 1, similarity } = parts
  const turn = { kind: 'turn' as const, id: `t${index}`, scope: 's', documentId: 'chat', index, start: 0, end: text.length, text }
  return { record: { ...turn, ...(summary === undefined ? {} : { summary }) }, score, words, similarity }
}

const order = (question: string, hits: readonly MemoryHit[]): string[] => rerankTurns(question, hits).map(({ record }) => record.id)

describe('rerankTurns', () => {
  it('counts the words of a summary where those of its long turn weigh little', () => {
    const long = `${'We spoke of the weather. '.repeat(40)} The door code of the mill is 7.`
    const hits = [
      hit(0, 'The mill is old.', { score: 0.9, words: 5 }),
      hit(9, 'The door is red.', { score: 0.8, words: 4 }),
      hit(20, long, { summary: 'The door code of the mill is 7.', score: 0.7, words: 1 }),
      hit(30, long, { summary: 'Talk of the weather.', score: 0.65, words: 1 }),
    ]
    expect(order('What is the door code of the mill?', hits)[0]).toBe('t20')
    expect(order('What is the door code of the mill?', hits).at(-1)).toBe('t30')
  })

  it('takes turns together that hold what is asked for between them', () => {
    const hits = [
      hit(4, 'The mill is old.', { score: 0.8 }),
      hit(9, 'The door is red.', { score: 0.8 }),
      hit(20, 'I rented the mill.', { score: 0.7 }),
      hit(22, 'Its door code is 7.', { score: 0.7 }),
      hit(23, 'Noted.', { score: 0.75 }),
    ]
    expect(order('What is the door code of the mill?', hits).slice(0, 2)).toEqual(['t20', 't22'])
    expect(order('What is the door code of the mill?', hits).at(-1)).toBe('t23')
  })

  it('keeps the order of a search that it knows nothing about', () => {
    const hits = [hit(0, 'one', { score: 0.9 }), hit(1, 'two', { score: 0.4 }), hit(2, 'three', { score: 0.1 })]
    expect(order('?', hits)).toEqual(['t0', 't1', 't2'])
    expect(rerankTurns('?', hits).map(({ score }) => score)).toEqual([0.9, 0.4, 0.1])
    expect(rerankTurns('What?', [])).toEqual([])
  })
})
