import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { solveBudget } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'

const tokens = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })
const queries = fc.record({
  description: fc.record({
    id: fc.constant('model'),
    window: fc.integer({ min: 1, max: 10_000 }),
    margin: fc.double({ min: 0, max: 0.5, noNaN: true }),
    perMessage: tokens(10),
  }),
  parts: fc.record({ system: tokens(500), instruction: tokens(500), question: tokens(500), state: tokens(2000), output: tokens(2000) }),
  minimumChunk: fc.integer({ min: 1, max: 100 }),
})

describe('solveBudget', () => {
  it('never gives parts and a chunk above the window, and gives all that is left', () => {
    fc.assert(
      fc.property(queries, (query) => {
        try {
          const { chunk, parts, window } = solveBudget(query)
          const sum = Object.values(parts).reduce((a, b) => a + b, 0)
          expect(sum + chunk).toBe(window)
          expect(chunk).toBeGreaterThanOrEqual(query.minimumChunk)
        } catch (error) {
          expect(error).toBeInstanceOf(ContextOverflowError)
          const { parts } = error as ContextOverflowError
          expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBeGreaterThan(query.description.window)
        }
      }),
    )
  })

  it('keeps true tokens in the window when the counter falls short by its margin', () => {
    fc.assert(
      fc.property(queries, (query) => {
        let solved
        try {
          solved = solveBudget(query)
        } catch {
          return
        }
        const { margin, ...rest } = solved.parts
        const counted = Object.values(rest).reduce((a, b) => a + b, 0) + solved.chunk
        expect(margin).toBeGreaterThanOrEqual(0)
        expect(counted / (1 - query.description.margin)).toBeLessThanOrEqual(query.description.window + 1e-6)
      }),
    )
  })

  it('names each part with its tokens and what to do about the largest', () => {
    const description = { id: 'tiny', window: 100, margin: 0, perMessage: 4 }
    const parts = { system: 10, instruction: 20, question: 90, state: 0, output: 16 }
    expect(() => solveBudget({ description, parts })).toThrow(
      'Cannot plan a call of tiny as its parts need more than the window of 100 tokens: system 10 + instruction 20 + question 90 + state 0 + output 16 + format 8 + margin 0 + chunk 1. Shorten the question',
    )
  })

  it('refuses a part that is no number of tokens', () => {
    const description = { id: 'tiny', window: 100, margin: 0, perMessage: 4 }
    expect(() => solveBudget({ description, parts: { system: -1, instruction: 0, question: 0, state: 0, output: 0 } })).toThrow(RangeError)
  })
})
