import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSameFact, type MemoryRecord, SAME_FACT_SIMILARITY } from '../../memory/index.ts'
import { type LocalEmbedder, openLocalEmbedder } from '../../models/index.ts'
import { otherPairs, samePairs } from './fact-pairs.ts'

const record = (text: string, parts: Partial<MemoryRecord> = {}): MemoryRecord => ({
  id: text,
  scope: 'ann',
  documentId: 'facts',
  start: 0,
  end: text.length,
  index: 0,
  kind: 'fact',
  text,
  ...parts,
})
const stated = (attribute: string, value: string, more: Record<string, string | boolean> = {}): MemoryRecord =>
  record(`${attribute} ${more['topic'] ?? ''} ${value}`, { metadata: { subject: 'user', attribute, value, ...more } })

describe('isSameFact', () => {
  it.each<[string, MemoryRecord, MemoryRecord, boolean]>([
    ['case, articles and marks', record('The user has a dog.'), record('the user has a DOG'), true],
    ['an article of the value', stated('job', 'nurse'), stated('job', 'a Nurse'), true],
    ['other words', record('The user has a dog.'), record('The user has a cat.'), false],
    ['a new value', stated('home', 'Rome'), stated('home', 'Oslo'), false],
    ['a denial', stated('home', 'Rome'), stated('home', 'Rome', { negated: true }), false],
    ['another topic', stated('opinion', 'likes', { topic: 'tea' }), stated('opinion', 'likes', { topic: 'rain' }), false],
  ])('goes by words where there are no vectors: %s', (_, one, other, same) => {
    expect(isSameFact(one, other)).toBe(same)
  })

  it('asks for equal subjects, numbers, names, relations and negation, however near the vectors', () => {
    const vector = Float32Array.of(1, 0)
    const pairs: [string, string][] = [
      ['has two cats', 'has three cats'],
      ['flies to Rome', 'flies to Oslo'],
      ["the user's son is ill", "the user's brother is ill"],
      ['works at home', 'never works at home'],
    ]
    for (const [one, other] of pairs) expect(isSameFact(record(one, { vector }), record(other, { vector }))).toBe(false)
    expect(isSameFact(record('walks a lot', { vector }), record('often goes for walks', { vector }))).toBe(true)
    const [mine, hers] = ['user', 'sister'].map((subject) =>
      record(`${subject} walks`, { vector, metadata: { subject, attribute: 'a', value: subject } }),
    )
    expect(isSameFact(mine as MemoryRecord, hers as MemoryRecord)).toBe(false)
  })
})

describe('the threshold of likeness', () => {
  let embedder: LocalEmbedder
  const vectors = new Map<string, Float32Array>()

  beforeAll(async () => {
    embedder = await openLocalEmbedder({ threads: 1 })
    const texts = [...samePairs, ...otherPairs].flat()
    for (const [at, vector] of (await embedder.embed(texts)).entries()) vectors.set(texts[at] ?? '', vector)
  }, 120_000)

  afterAll(() => embedder.dispose())

  const same = (pairs: typeof samePairs, threshold?: number): number =>
    pairs.filter(([one, other]) => {
      const [first, second] = [one, other].map((text) => record(text, { vector: vectors.get(text) as Float32Array }))
      return isSameFact(first as MemoryRecord, second as MemoryRecord, threshold)
    }).length

  it('takes no pair that differs for the same, and knows many more that say the same than one near 1 would', () => {
    expect(same(otherPairs)).toBe(0)
    expect(same(samePairs)).toBeGreaterThanOrEqual(12)
    expect(same(samePairs, 0.98)).toBeLessThan(3)
    expect(same(otherPairs, SAME_FACT_SIMILARITY - 0.05)).toBeGreaterThan(0)
  })
})
