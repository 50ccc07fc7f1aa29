import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDecoder, type Decoder, type TensorType } from '../../attention/index.ts'
import { referenceLogProbs, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { ContextOverflowError, ModelFileError } from '../../errors/index.ts'
import { farthest, onnxRuntime, openTiny, someIds } from './open-tiny.ts'
import { tiny, writeTinyModel } from './tiny-model.ts'
import { memorySource } from './write-gguf.ts'

/** Differences of float32 arithmetic in another order; logits are of the size of 10. */
const close = 1e-3
const { vocabulary, hidden, layers } = tiny

describe('openDecoder()', () => {
  const types: TensorType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1']
  test.each(types)('computes the logits of the reference with weights of %s', async (type) => {
    const { decoder, reference } = await openTiny({ type })
    const ids = someIds(40)
    expect(farthest(await decoder.prefill(ids, decoder.createCache()), reference.forward(ids).logits.slice(-vocabulary))).toBeLessThan(
      close,
    )
    await decoder.dispose()
  })

  test('computes the logits of the reference with mixed types and an output matrix of its own', async () => {
    const { decoder, reference } = await openTiny({ type: 'Q4_1', types: { attn_v: 'Q8_0', ffn_up: 'F16', output: 'Q4_0' }, untied: true })
    const ids = someIds(40)
    expect(decoder.config.weightForm).toBe('q4_1+q4_0+q8_0+f16')
    expect(farthest(await decoder.prefill(ids, decoder.createCache()), reference.forward(ids).logits.slice(-vocabulary))).toBeLessThan(
      close,
    )
    await decoder.dispose()
  })

  // A layer of the tiny model has 123 kB of float32 matrices, so that the second limit takes in two of three layers.
  test.each([0, 250_000, Infinity])('computes the logits of the reference with %d bytes of second weights at most', async (denseBytes) => {
    for (const size of [127, 128, 150]) {
      const ids = someIds(size)
      const { decoder, reference } = await openTiny({ type: 'Q4_1', types: { attn_v: 'Q8_0' } }, { denseBytes })
      expect(farthest(await decoder.prefill(ids, decoder.createCache()), reference.forward(ids).logits.slice(-vocabulary))).toBeLessThan(
        close,
      )
      await decoder.dispose()
    }
  })

  test.each([-1, NaN])('refuses %d bytes of second weights', async (denseBytes) => {
    await expect(openTiny({}, { denseBytes })).rejects.toThrow(RangeError)
  })

  test('refuses a file whose data are cut off', async () => {
    const bytes = writeTinyModel({ type: 'Q4_1' })
    const source = memorySource(bytes.slice(0, bytes.length - 1000))
    await expect(openDecoder({ runtime: onnxRuntime, source })).rejects.toThrow(ModelFileError)
  })

  test('stops loading when the signal says so', async () => {
    const control = new AbortController()
    const source = memorySource(writeTinyModel())
    const opening = openDecoder({
      runtime: onnxRuntime,
      source,
      signal: control.signal,
      onProgress: () => control.abort(new Error('enough')),
    })
    await expect(opening).rejects.toThrow('enough')
  })
})

describe('the ONNX decoder', () => {
  let decoder: Decoder
  let reference: ReferenceDecoder
  beforeAll(async () => {
    const opened = await openTiny({ type: 'Q4_1', types: { token_embd: 'Q8_0' } })
    decoder = opened.decoder
    reference = opened.reference
  })
  afterAll(() => decoder.dispose())

  const lastLogits = (ids: readonly number[]): Float32Array => reference.forward(ids).logits.slice(-vocabulary)

  test('gives the hidden states of the reference after each layer', async () => {
    const ids = someIds(20)
    const expected = reference.forward(ids).hidden
    const cache = decoder.createCache()
    const positions = Int32Array.from(ids.keys())
    let rows = decoder.embed(ids)
    for (let layer = 0; layer < layers; layer++) {
      rows = await decoder.runLayers(layer, layer + 1, rows, positions, cache)
      expect(farthest(rows, expected[layer]!)).toBeLessThan(close)
    }
    const atOnce = await decoder.runLayers(0, layers, decoder.embed(ids), positions, decoder.createCache())
    expect(farthest(rows, atOnce)).toBe(0)
    expect(farthest(await decoder.logits(rows), reference.forward(ids).logits)).toBeLessThan(close)
  })

  test('takes position ids with gaps and repeats', async () => {
    const ids = someIds(12)
    const positions = [0, 1, 2, 7, 8, 3, 4, 5, 20, 20, 21, 22]
    const rows = await decoder.runLayers(0, layers, decoder.embed(ids), Int32Array.from(positions), decoder.createCache())
    expect(farthest(rows, reference.forward(ids, positions).hidden.at(-1)!)).toBeLessThan(close)
  })

  test.each([[[30]], [[29, 1]], [[1, 29]], [[10, 3, 17]], [Array.from({ length: 30 }, () => 1)]])(
    'gives the same logits when fed in pieces of %j',
    async (pieces) => {
      const ids = someIds(30)
      const cache = decoder.createCache()
      let logits = new Float32Array()
      let start = 0
      for (const length of pieces) {
        logits = new Float32Array(await decoder.prefill(ids.slice(start, start + length), cache))
        start += length
      }
      expect(cache.length).toBe(30)
      expect(farthest(logits, lastLogits(ids))).toBeLessThan(close)
    },
  )

  test('gives the same logits across the borders of slices and blocks, whatever the pieces', async () => {
    const ids = someIds(1100)
    const whole = await decoder.prefill(ids, decoder.createCache())
    for (const pieces of [
      [1, 1099],
      [511, 589],
      [512, 588],
      [300, 300, 1, 1, 498],
      [1090, 2, 2, 2, 2, 1, 1],
    ]) {
      const cache = decoder.createCache()
      let logits = whole
      let start = 0
      for (const length of pieces) {
        logits = await decoder.prefill(ids.slice(start, start + length), cache)
        start += length
      }
      expect(farthest(logits, whole)).toBeLessThan(close)
    }
  })

  test('goes on from a fork and from a truncated cache as from a fresh one, leaving the original alone', async () => {
    const ids = someIds(600)
    const cache = decoder.createCache()
    await decoder.prefill(ids, cache)
    const fork = cache.fork()
    const forked = await decoder.prefill(someIds(5, 3), fork)
    const original = await decoder.prefill(someIds(5, 4), cache)
    expect(farthest(forked, await decoder.prefill([...ids, ...someIds(5, 3)], decoder.createCache()))).toBeLessThan(close)
    expect(farthest(original, await decoder.prefill([...ids, ...someIds(5, 4)], decoder.createCache()))).toBeLessThan(close)
    fork.truncate(20)
    const short = await decoder.prefill(someIds(5, 5), fork)
    expect(farthest(short, lastLogits([...ids.slice(0, 20), ...someIds(5, 5)]))).toBeLessThan(close)
    const again = await decoder.prefill([7], cache)
    expect(farthest(again, await decoder.prefill([...ids, ...someIds(5, 4), 7], decoder.createCache()))).toBeLessThan(close)
  })

  test('generates the most likely tokens of the reference, one after the other', async () => {
    const prompt = someIds(9)
    const cache = decoder.createCache()
    const generated: number[] = []
    const logits = await decoder.prefill(prompt, cache)
    for await (const id of decoder.generate(cache, logits, { maxTokens: 8 })) generated.push(id)
    const expected: number[] = []
    for (let step = 0; step < 8; step++) {
      const last = lastLogits([...prompt, ...expected])
      expected.push(last.indexOf(last.reduce((a, b) => Math.max(a, b))))
    }
    expect(generated).toEqual(expected)
    expect(cache.length).toBe(9 + 7)
  })

  test('generates only what a constraint allows, and ends where it allows nothing or on a stop token', async () => {
    const path = [5, 9, 40]
    const collect = async (options: { stop?: number[] }): Promise<number[]> => {
      const cache = decoder.createCache()
      const logits = await decoder.prefill(someIds(4), cache)
      const generated: number[] = []
      const allow = (ids: readonly number[]): number[] => path.slice(ids.length, ids.length + 1)
      for await (const id of decoder.generate(cache, logits, { maxTokens: 10, allow, ...options })) generated.push(id)
      return generated
    }
    expect(await collect({})).toEqual(path)
    expect(await collect({ stop: [40] })).toEqual([5, 9])
  })

  test('scores continuations as the reference does, long and short ones together', async () => {
    const prefix = someIds(15)
    const continuations = [
      { ids: someIds(6, 1) },
      { ids: [] },
      { ids: someIds(1, 2) },
      { ids: someIds(300, 3) },
      { ids: someIds(8, 4), from: 5 },
      { ids: someIds(3, 5), from: 3 },
      { ids: someIds(7, 6), from: 1 },
    ]
    const progress: number[] = []
    const found = await decoder.logProbs(prefix, continuations, { onProgress: (share) => progress.push(share) })
    for (const [index, { ids, from = 0 }] of continuations.entries()) {
      const whole = [...prefix, ...ids]
      const expected = referenceLogProbs(reference.forward(whole).logits, whole, vocabulary).slice(prefix.length - 1 + from)
      expect(found[index]).toHaveLength(ids.length - from)
      expect(farthest(found[index]!, expected)).toBeLessThan(close)
    }
    expect(progress.at(-1)).toBe(1)
  })

  test('scores from a cache, which stays as it was', async () => {
    const cache = decoder.createCache()
    await decoder.prefill(someIds(15), cache)
    const [fromCache] = await decoder.logProbs(cache, [{ ids: someIds(6, 1) }])
    const [fromIds] = await decoder.logProbs(someIds(15), [{ ids: someIds(6, 1) }])
    expect(farthest(fromCache!, fromIds!)).toBe(0)
    expect(cache.length).toBe(15)
    cache.truncate(14)
    await expect(decoder.logProbs(cache, [{ ids: [1, 2] }])).rejects.toThrow('does not know its last hidden state')
    const [later] = await decoder.logProbs(cache, [{ ids: [...someIds(15).slice(14), ...someIds(6, 1)], from: 1 }])
    expect(farthest(later!, fromIds!)).toBeLessThan(close)
  })

  test('lets timers run and stops within a layer when aborted, leaving the cache as it was', async () => {
    const cache = decoder.createCache()
    await decoder.prefill(someIds(600), cache)
    const control = new AbortController()
    let layersRun = 0
    const onProgress = (): void => {
      if (++layersRun === 4) control.abort(new Error('enough'))
    }
    await expect(decoder.prefill(someIds(600, 1), cache, { signal: control.signal, onProgress })).rejects.toThrow('enough')
    expect(layersRun).toBe(4)
    expect(cache.length).toBe(600)
    const after = await decoder.prefill([3], cache)
    expect(farthest(after, await decoder.prefill([...someIds(600), 3], decoder.createCache()))).toBeLessThan(close)
  })

  test('gives the event loop back in each layer', async () => {
    let ticks = 0
    const tick = setInterval(() => ticks++, 0)
    await decoder.prefill(someIds(1500), decoder.createCache())
    clearInterval(tick)
    expect(ticks).toBeGreaterThan(5)
  })

  test('refuses what does not fit the window, with the tokens of each part', async () => {
    const cache = decoder.createCache()
    await decoder.prefill(someIds(10), cache)
    const prefill = decoder.prefill(someIds(2039), cache)
    await expect(prefill).rejects.toThrow(ContextOverflowError)
    await expect(prefill).rejects.toMatchObject({ parts: { cache: 10, input: 2039 }, window: 2048 })
    expect(() => decoder.generate(cache, new Float32Array(vocabulary), { maxTokens: 3000 })).toThrow(ContextOverflowError)
    await expect(decoder.logProbs(someIds(10), [{ ids: someIds(2039) }])).rejects.toThrow(ContextOverflowError)
  })

  test.each([
    ['no tokens', () => decoder.prefill([], decoder.createCache()), 'there are no tokens'],
    ['an id outside the vocabulary', () => decoder.prefill([96], decoder.createCache()), 'token 96'],
    ['a continuation outside the vocabulary', () => decoder.logProbs([1], [{ ids: [-1] }]), 'token -1'],
    ['an empty prefix', () => decoder.logProbs([], [{ ids: [1] }]), 'prefix has no tokens'],
    ['a start outside the continuation', () => decoder.logProbs([1], [{ ids: [1], from: 2 }]), 'from token 2'],
    [
      'layers that do not exist',
      () => decoder.runLayers(0, 4, new Float32Array(hidden), Int32Array.of(0), decoder.createCache()),
      'layers 0 to 4',
    ],
    [
      'rows that are not whole',
      () => decoder.runLayers(0, 1, new Float32Array(7), Int32Array.of(0), decoder.createCache()),
      '7 hidden values',
    ],
    [
      'a position outside the window',
      () => decoder.runLayers(0, 1, new Float32Array(hidden), Int32Array.of(2048), decoder.createCache()),
      '2048',
    ],
    ['hidden values that are not whole rows', () => decoder.logits(new Float32Array(7)), 'whole rows of 64: 7'],
  ])('refuses %s', async (_, call, message) => {
    const error = await call().catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(RangeError)
    expect((error as RangeError).message).toContain(message)
  })
})
