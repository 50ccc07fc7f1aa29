import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attend, type Decoder, type KVCache, type TensorType } from '../../attention/index.ts'
import { referenceLogProbs, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'
import { tiny, type TinyOptions } from './tiny-model.ts'
import type { WrittenTensor } from './write-gguf.ts'

/** Differences of float32 arithmetic in another order; logits are of the size of 10. */
const close = 1e-3
const { vocabulary, hidden } = tiny
const half = tiny.headDim / 2

function divisors(name: string, values: readonly number[]): WrittenTensor {
  return { name, type: 'F32', dims: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) }
}

const rising = Array.from({ length: half }, (_, pair) => 1 + pair)

const models: [string, TinyOptions][] = [
  ['qwen2, with biases', { architecture: 'qwen2' }],
  ['qwen2 with types of their own', { architecture: 'qwen2', type: 'Q4_0', types: { attn_v: 'Q8_0' }, untied: true }],
  ['qwen3, with normalised heads', { architecture: 'qwen3' }],
  ['qwen3 with heads that are wider than the hidden rows', { architecture: 'qwen3', type: 'Q4_1', shape: { headDim: 32 } }],
  ['gemma3 without a window', { architecture: 'gemma3', type: 'Q4_0' }],
  [
    'gemma3 with a window in two of three layers',
    {
      architecture: 'gemma3',
      metadata: { '.attention.sliding_window': 10, '.attention.sliding_window_pattern': 3, '.rope.freq_base': 1e6 },
    },
  ],
  [
    'gemma3 with listed windows, a base for them and linear scaling for the rest',
    {
      architecture: 'gemma3',
      type: 'Q8_0',
      metadata: {
        '.attention.sliding_window': 7,
        '.attention.sliding_window_pattern': [false, true, false],
        '.rope.freq_base_swa': 500,
        '.rope.scaling.type': 'linear',
        '.rope.scaling.factor': 8,
      },
    },
  ],
  ['gemma3 with a scale of its own for scores', { architecture: 'gemma3', metadata: { '.attention.scale': 0.0625 } }],
  ['phi3, with fused tensors', { architecture: 'phi3', type: 'Q4_0' }],
  ['phi3 with a window', { architecture: 'phi3', metadata: { '.attention.sliding_window': 12 } }],
  [
    'phi3 with the long divisors of its window',
    {
      architecture: 'phi3',
      metadata: { '.rope.scaling.original_context_length': 512, '.rope.scaling.attn_factor': 1.19 },
      extraTensors: [divisors('rope_factors_long.weight', rising), divisors('rope_factors_short.weight', Array(half).fill(1) as number[])],
    },
  ],
  ['llama with a window, as Mistral', { type: 'Q4_1', metadata: { '.attention.sliding_window': 16 } }],
  ['llama with divisors, as Llama 3', { extraTensors: [divisors('rope_freqs.weight', rising)] }],
  ['llama with linear scaling', { metadata: { '.rope.scaling.factor': 4 } }],
  ['llama with a larger base', { metadata: { '.rope.freq_base': 5e5 } }],
  [
    'llama with YaRN',
    { metadata: { '.rope.scaling.type': 'yarn', '.rope.scaling.factor': 4, '.rope.scaling.original_context_length': 512 } },
  ],
  [
    'qwen2 with YaRN of its own turns',
    {
      architecture: 'qwen2',
      metadata: {
        '.rope.scaling.type': 'yarn',
        '.rope.scaling.factor': 2,
        '.rope.scaling.yarn_beta_fast': 16,
        '.rope.scaling.yarn_beta_slow': 2,
      },
    },
  ],
  ['llama with ALiBi', { type: 'Q4_0', metadata: { '.attention.max_alibi_bias': 8 } }],
  [
    'ALiBi with a number of heads that is no power of two',
    { shape: { heads: 6, kvHeads: 3, hidden: 96 }, metadata: { '.attention.max_alibi_bias': 8 } },
  ],
]

describe.each(models)('%s', (_, options) => {
  let decoder: Decoder
  let packed: Decoder
  let reference: ReferenceDecoder
  const width = options.shape?.hidden ?? hidden
  beforeAll(async () => {
    const opened = await openTiny(options)
    decoder = opened.decoder
    reference = opened.reference
    packed = (await openTiny(options, { denseBytes: 0 })).decoder
  })
  afterAll(async () => {
    await decoder.dispose()
    await packed.dispose()
  })

  async function feed(into: Decoder, ids: readonly number[], pieces: readonly number[]): Promise<Float32Array> {
    const cache = into.createCache()
    let logits = new Float32Array()
    let start = 0
    for (const length of pieces) {
      logits = new Float32Array(await into.prefill(ids.slice(start, start + length), cache))
      start += length
    }
    return logits
  }

  test('gives the hidden states of the reference after each layer, few tokens or many, and their logits', async () => {
    for (const size of [20, 80]) {
      const ids = someIds(size)
      const expected = reference.forward(ids)
      for (const one of [decoder, packed]) {
        const cache: KVCache = one.createCache()
        let rows = one.embed(ids)
        for (let layer = 0; layer < one.config.layers; layer++) {
          rows = await one.runLayers(layer, layer + 1, rows, Int32Array.from(ids.keys()), cache)
          expect(farthest(rows, expected.hidden[layer]!)).toBeLessThan(close * Math.max(1, ...expected.hidden[layer]!.map(Math.abs)))
        }
        expect(farthest(await one.logits(rows), expected.logits)).toBeLessThan(close)
      }
    }
  })

  test('gives the same logits when fed in pieces', async () => {
    const ids = someIds(90)
    const expected = reference.forward(ids).logits.slice(-vocabulary)
    for (const pieces of [[90], [70, 20], [64, 1, 1, 24], [5, 85], Array.from({ length: 90 }, () => 1)]) {
      expect(farthest(await feed(decoder, ids, pieces), expected)).toBeLessThan(close)
    }
  })

  test('gives the same logits across the borders of blocks and slices', async () => {
    const ids = someIds(560)
    const whole = await feed(decoder, ids, [560])
    expect(farthest(await feed(decoder, ids, [500, 20, 40]), whole)).toBeLessThan(close)
    expect(farthest(await feed(decoder, ids, [510, 1, 1, 1, 1, 46]), whole)).toBeLessThan(close)
  })

  test('scores several continuations of one prefix side by side', async () => {
    const prefix = someIds(40)
    const continuations = [{ ids: someIds(6, 1) }, { ids: someIds(30, 3) }, { ids: someIds(9, 4) }]
    const found = await decoder.logProbs(prefix, continuations)
    for (const [index, { ids }] of continuations.entries()) {
      const whole = [...prefix, ...ids]
      const expected = referenceLogProbs(reference.forward(whole).logits, whole, vocabulary).slice(prefix.length - 1)
      expect(farthest(found[index]!, expected)).toBeLessThan(close)
    }
  })

  test('takes position ids with gaps and repeats', async () => {
    const ids = someIds(12)
    const positions = [0, 1, 2, 7, 8, 3, 4, 5, 20, 20, 21, 40]
    const rows = await decoder.runLayers(0, decoder.config.layers, decoder.embed(ids), Int32Array.from(positions), decoder.createCache())
    expect(farthest(rows.slice(-width), reference.forward(ids, positions).hidden.at(-1)!.slice(-width))).toBeLessThan(close * 10)
  })
})

const grouped: TensorType[] = ['Q5_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K']
test.each(grouped)('weights of %s give the logits of the reference, few tokens or many', async (type) => {
  const shape = { layers: 2, hidden: 256, headDim: 64, feedForward: 256 }
  const { decoder, reference } = await openTiny({ type, shape, types: { attn_v: 'Q6_K' } })
  for (const size of [10, 80]) {
    const ids = someIds(size)
    const expected = reference.forward(ids).logits.slice(-vocabulary)
    expect(farthest(await decoder.prefill(ids, decoder.createCache()), expected)).toBeLessThan(close)
  }
  await decoder.dispose()
})

test('a window changes what a model computes, and so do a base, a scaling and a bias', async () => {
  const ids = someIds(60)
  const outcomes: Float32Array[] = []
  for (const metadata of [
    {},
    { '.attention.sliding_window': 16 },
    { '.rope.freq_base': 5e5 },
    { '.rope.scaling.factor': 4 },
    { '.rope.scaling.type': 'yarn', '.rope.scaling.factor': 4, '.rope.scaling.original_context_length': 512 },
    { '.attention.max_alibi_bias': 8 },
  ]) {
    const { decoder } = await openTiny({ metadata })
    outcomes.push(new Float32Array(await decoder.prefill(ids, decoder.createCache())))
    await decoder.dispose()
  }
  for (const [index, one] of outcomes.entries()) {
    for (const other of outcomes.slice(index + 1)) expect(farthest(one, other)).toBeGreaterThan(1e-2)
  }
})

const distant: [string, TinyOptions][] = [
  ['a sliding window', { metadata: { '.attention.sliding_window': 10 } }],
  ['ALiBi', { shape: { heads: 6, kvHeads: 3, hidden: 96 }, metadata: { '.attention.max_alibi_bias': 8 } }],
  ['a scale of its own', { metadata: { '.attention.scale': 0.5 } }],
]
test.each(distant)('what heads look at is the weight of the reference with %s', async (_, options) => {
  const { decoder, reference } = await openTiny(options)
  const ids = someIds(30)
  const heads = [
    { layer: 0, head: 1 },
    { layer: 2, head: 3 },
  ]
  const { weights } = await attend(decoder, ids, decoder.createCache(), { heads, rows: 1 })
  const expected = reference.forward(ids).weights
  for (const [index, { layer, head }] of heads.entries()) {
    expect(farthest(weights[index]!, expected[layer]![29]![head]!)).toBeLessThan(1e-4)
  }
  await decoder.dispose()
})
