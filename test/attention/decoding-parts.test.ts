import { describe, expect, test } from 'vitest'
import { createSampler, StopStrings, tokenLogProb, VerbatimAutomaton } from '../../attention/index.ts'
import { seededInts } from './random-schema.ts'

describe('StopStrings', () => {
  test.each([
    [['END'], ['some E', 'N', 'D and more'], 'some '],
    [['END'], ['E', 'E', 'N', 'x'], 'EENx'],
    [['ab', 'abc', 'b'], ['xa', 'b'], 'x'],
    [['\n\n'], ['one\n', 'two\n', '\nthree'], 'one\ntwo'],
    [['aab'], ['a', 'a', 'a', 'b'], 'a'],
    [[], ['all', ' of it'], 'all of it'],
  ])('ends at the first of %j in %j', (stops, parts, expected) => {
    const text = new StopStrings(stops)
    const seen = parts.map((part) => text.push(part))
    expect(seen.join('') + text.end()).toBe(expected)
  })

  test('holds back only what could still become one', () => {
    const text = new StopStrings(['END'])
    expect([text.push('the E'), text.push('x'), text.push('EN'), text.end()]).toEqual(['the ', 'Ex', '', 'EN'])
    expect(() => new StopStrings([''])).toThrow(TypeError)
  })
})

describe('sampling options', () => {
  const logits = Float32Array.of(2, 1.9, -1, -5)

  test('the penalty lowers what was said, positive or negative', () => {
    expect(createSampler({ repetitionPenalty: 1.2 })(logits, undefined, [0])).toBe(1)
    expect(createSampler({ repetitionPenalty: 8 })(Float32Array.of(-1, -2), undefined, [0])).toBe(1)
    expect(createSampler({ repetitionPenalty: 1.2 })(logits, undefined, [])).toBe(0)
  })

  test('a bias moves tokens, and excludes them', () => {
    expect(createSampler({ logitBias: { 3: 10 } })(logits)).toBe(3)
    expect(createSampler({ logitBias: { 0: -Infinity } })(logits)).toBe(1)
    expect(() => createSampler({ logitBias: { 4: 1 } })(logits)).toThrow(RangeError)
  })

  test('minP leaves out what is far less likely than the likeliest', () => {
    const sample = createSampler({ temperature: 1, minP: 0.5 })
    expect(new Set(Array.from({ length: 200 }, () => sample(logits)))).toEqual(new Set([0, 1]))
  })

  test.each([{ minP: -0.1 }, { minP: 2 }, { repetitionPenalty: 0 }, { logitBias: { 1: NaN } }])('%j is refused', (options) => {
    expect(() => createSampler(options)).toThrow(RangeError)
  })

  test('log-probabilities are those of the softmax, the likeliest first', () => {
    const { logProb, top } = tokenLogProb(Float32Array.of(0, Math.log(2), Math.log(5)), 0, 2)
    expect(logProb).toBeCloseTo(Math.log(1 / 8), 6)
    expect(top.map(({ id }) => id)).toEqual([2, 1])
    expect(top[0]?.logProb).toBeCloseTo(Math.log(5 / 8), 6)
  })
})

describe('VerbatimAutomaton', () => {
  /** All ways on from what was copied so far, by looking at every place. */
  function naive(
    sources: readonly { ids: number[]; starts: number[]; ends: number[] }[],
    copied: readonly number[],
  ): { next: Set<number>; ends: string[] } {
    const next = new Set<number>()
    const ends: string[] = []
    for (const [source, { ids, starts, ends: allowed }] of sources.entries()) {
      for (const start of starts) {
        if (!copied.every((id, index) => ids[start + index] === id)) continue
        const at = start + copied.length
        if (allowed.some((end) => end >= at) && at < ids.length) next.add(ids[at]!)
        if (copied.length > 0 && allowed.includes(at - 1)) ends.push(`${source}:${at - 1}`)
      }
    }
    return { next, ends }
  }

  test('follows every place at once, as a search through the sources does', () => {
    const int = seededInts(7)
    for (let round = 0; round < 60; round++) {
      const sources = Array.from({ length: int(1, 3) }, () => {
        const ids = Array.from({ length: int(1, 60) }, () => int(0, 3))
        const some = (): number[] => [...ids.keys()].filter(() => int(0, 2) > 0)
        return { ids, starts: some(), ends: some() }
      })
      const automaton = new VerbatimAutomaton(sources)
      let states = automaton.begin()
      for (const copied: number[] = []; ;) {
        const expected = naive(sources, copied)
        const following = [...new Set(automaton.following(states))].sort((a, b) => a - b)
        expect(following).toEqual([...expected.next].sort((a, b) => a - b))
        const end = automaton.endOf(states)
        expect(end && `${end.source}:${end.token}`).toBe(expected.ends[0])
        const id = following[int(0, Math.max(0, following.length - 1))]
        if (id === undefined) break
        copied.push(id)
        states = automaton.step(states, id)
      }
    }
  })

  test('knows the shortest copy among 20,000 tokens', () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => (index * index) % 977)
    const automaton = new VerbatimAutomaton([{ ids, starts: [...ids.keys()], ends: [ids.length - 1] }])
    expect(automaton.cost(automaton.begin())).toBe(1)
    expect(automaton.endOf(automaton.step(automaton.begin(), ids[0]!))).toBeUndefined()
  })
})
