import { describe, expect, it } from 'vitest'
import { ContextOverflowError } from '../../errors/index.ts'
import { manualClock, scriptedEmbedder, scriptedLikelihoodModel } from '../../testing/index.ts'

describe('the scripted likelihood model', () => {
  it('finds words likelier that the prefix holds', async () => {
    const model = scriptedLikelihoodModel()
    const [near, far, none] = await model.logProbs([
      { prefix: 'The captain hunts the whale.', text: 'the whale' },
      { prefix: 'The captain hunts the whale.', text: 'a teapot' },
      { prefix: 'anything', text: '' },
    ])
    expect(near).toEqual({ logProb: 2 * Math.log(0.5), tokens: [Math.log(0.5), Math.log(0.5)] })
    expect(far).toEqual({ logProb: 2 * Math.log(0.01), tokens: [Math.log(0.01), Math.log(0.01)] })
    expect(none).toEqual({ logProb: 0, tokens: [] })
    expect(model.queries).toHaveLength(3)
  })

  it('copies the shortest run of words that shares most with the prompt', async () => {
    const source = 'Call me Ishmael. The captain is Ahab, they say.'
    const span = await scriptedLikelihoodModel().copy('Who is the captain?', source, { maxTokens: 4 })
    expect(source.slice(span?.start, span?.end)).toBe('The captain is')
    expect(await scriptedLikelihoodModel().copy('Who?', ' ', { maxTokens: 4 })).toBeUndefined()
  })

  it('has a hard window and keeps to the signal', async () => {
    const model = scriptedLikelihoodModel({ window: 3 })
    await expect(model.logProbs([{ prefix: 'one two', text: 'three four' }])).rejects.toBeInstanceOf(ContextOverflowError)
    await expect(model.copy('one two', 'source', { maxTokens: 2 })).rejects.toBeInstanceOf(ContextOverflowError)
    await expect(model.logProbs([{ prefix: '', text: 'a' }], { signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
  })
})

describe('the scripted embedder', () => {
  it('puts texts near that share words, whatever their order and case', async () => {
    const embedder = scriptedEmbedder({ dimensions: 128 })
    const [query = [], same = [], near = [], far = []] = await embedder.embedDocuments([
      'White whale',
      'whale, WHITE!',
      'a white whale',
      'green tea',
    ])
    const cosine = (a: number[], b: number[]): number => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
    expect(cosine(query, same)).toBeCloseTo(1)
    expect(cosine(query, near)).toBeGreaterThan(0.5)
    expect(Math.abs(cosine(query, far))).toBeLessThan(0.1)
    expect(embedder.embedded).toBe(4)
  })

  it.each([0, -1, 1.5])('refuses %d dimensions', (dimensions) => {
    expect(() => scriptedEmbedder({ dimensions })).toThrow(RangeError)
  })
})

describe('the manual clock', () => {
  it('wakes who waits in the order of their ends', async () => {
    const clock = manualClock({ start: 100 })
    const woken: string[] = []
    void clock.sleep(20).then(() => woken.push('late'))
    void clock.sleep(10).then(() => woken.push('early'))
    clock.advance(15)
    await new Promise((resolve) => setImmediate(resolve))
    expect([woken, clock.pending, clock.now()]).toEqual([['early'], 1, 115])
    clock.advance(5)
    await new Promise((resolve) => setImmediate(resolve))
    expect([woken, clock.pending]).toEqual([['early', 'late'], 0])
  })

  it('lets go of who is aborted', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const sleep = clock.sleep(10, { signal: controller.signal })
    controller.abort('stop')
    await expect(sleep).rejects.toBe('stop')
    expect(clock.pending).toBe(0)
    await expect(clock.sleep(10, { signal: controller.signal })).rejects.toBe('stop')
  })
})
