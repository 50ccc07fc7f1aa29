import { readFile } from 'node:fs/promises'
import * as runtime from 'onnxruntime-node'
import { modelFile } from 'scriptorium-weights'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTokenizer, type Encoder, openEncoder, type Tokenizer } from '../../attention/index.ts'
import golden from '../golden/all-minilm-l6-v2.json' with { type: 'json' }

const name = 'all-minilm-l6-v2'

describe('the encoder', () => {
  let model: Uint8Array
  let tokenizer: Tokenizer
  let encoder: Encoder

  beforeAll(async () => {
    model = await readFile(await modelFile(name, 'model.onnx'))
    tokenizer = createTokenizer(JSON.parse(await readFile(await modelFile(name, 'tokenizer.json'), 'utf8')) as object)
    encoder = await openEncoder({ runtime, model, tokenizer })
  })

  afterAll(() => encoder.dispose())

  it('gives the reference vectors', async () => {
    const vectors = await encoder.embed(golden.sentences)
    expect(vectors).toHaveLength(golden.int8.length)
    vectors.forEach((vector, at) => expect(cosine(vector, golden.int8[at]!)).toBeGreaterThan(0.9999))
  })

  it('gives vectors of its dimensions and of length 1, an empty text included', async () => {
    expect(encoder.dimensions).toBe(384)
    for (const vector of await encoder.embed(['', 'a whale', 'x'.repeat(5000)])) {
      expect(vector).toHaveLength(384)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    }
  })

  it('gives a text the same vector whatever is beside it', async () => {
    const [alone] = await encoder.embed(['The whale surfaced.'])
    const [, beside] = await encoder.embed(['Something much longer than the other text, to be sure.', 'The whale surfaced.'])
    expect(beside).toEqual(alone)
  })

  it('reads no more than maxTokens of a text', async () => {
    const words = Array.from({ length: 400 }, () => 'whale').join(' ')
    const [whole, cut] = await encoder.embed([words, words.slice(0, 'whale '.length * 254)])
    expect(whole).toEqual(cut)
  })

  it('gives an empty list for an empty list', async () => {
    expect(await encoder.embed([])).toEqual([])
  })

  it('tells how many texts are done', async () => {
    const seen: number[] = []
    await encoder.embed(['a', 'b', 'c'], { onProgress: (done) => seen.push(done) })
    expect(seen).toEqual([1, 2, 3])
  })

  it('rejects with the reason of the signal, before and during the work', async () => {
    const reason = new Error('enough')
    await expect(encoder.embed(['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const texts = Array.from({ length: 200 }, () => 'word '.repeat(100))
    let done = 0
    const onProgress = (count: number): void => {
      done = count
      if (count === 1) setImmediate(() => controller.abort(reason))
    }
    await expect(encoder.embed(texts, { signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(done).toBeLessThan(texts.length)
  })

  it('refuses an impossible limit, and may be disposed twice', async () => {
    await expect(openEncoder({ runtime, model, tokenizer, maxTokens: 1 })).rejects.toThrow(RangeError)
    const other = await openEncoder({ runtime, model, tokenizer })
    await other.dispose()
    await expect(other.dispose()).resolves.toBeUndefined()
  })
})

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let dot = 0
  let squares = [0, 0]
  for (let at = 0; at < left.length; at++) {
    dot += left[at]! * right[at]!
    squares = [squares[0]! + left[at]! ** 2, squares[1]! + right[at]! ** 2]
  }
  return dot / Math.sqrt(squares[0]! * squares[1]!)
}
