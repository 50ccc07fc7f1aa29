import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Decoder, openDecoder } from '../../attention/index.ts'
import { homer, type HomerOptions, type HomerReport, type HomerResult } from '../../attention/homer.ts'
import { retrievalSignificance } from '../../attention/retrieval-significance.ts'
import { calibratedSignificance, keptTokens, lastQueryLogits } from '../../attention/significance.ts'
import { farthest, onnxRuntime, openTiny, someIds } from './open-tiny.ts'
import type { TinyOptions } from './tiny-model.ts'
import { memorySource } from './write-gguf.ts'

const prefix = someIds(3, 1)
const suffix = someIds(2, 2)
const significance = calibratedSignificance((_, distance) => -0.01 * distance)

let decoder: Decoder
beforeAll(async () => {
  decoder = (await openTiny()).decoder
})
afterAll(() => decoder.dispose())

const run = (tokens: number, options: Partial<HomerOptions> = {}): Promise<HomerResult> =>
  homer(decoder, { prefix, context: someIds(tokens, 3), suffix }, { maxChunk: 16, warmUp: 0, significance, ...options })

/** All that a result holds, for comparing two. */
const rowsOf = ({ cache }: HomerResult): Float32Array[] =>
  Array.from({ length: decoder.config.layers }, (_, layer) => cache.exportRows(layer)).flatMap(({ keys, values }) => [keys, values])

describe('homer()', () => {
  it('is a plain forward pass where the text fits one node', async () => {
    const result = await run(9)
    const cache = decoder.createCache()
    const ids = [...prefix, ...someIds(9, 3), ...suffix]
    const { layers, hidden } = decoder.config
    const rows = await decoder.runLayers(0, layers, decoder.embed(ids), Int32Array.from(ids.keys()), cache)
    const logits = await decoder.logits(rows.slice(-hidden))
    expect(farthest(result.logits, logits)).toBe(0)
    expect([...result.sources]).toEqual([-1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1])
    expect([...result.cache.positions]).toEqual([...cache.positions])
    for (const layer of [0, 1, 2]) expect(farthest(result.cache.exportRows(layer).keys, cache.exportRows(layer).keys)).toBe(0)
  })

  const distant: [string, TinyOptions, RegExp][] = [
    [
      'a sliding window',
      { architecture: 'gemma3', metadata: { '.attention.sliding_window': 8 } },
      /tiny as some of its layers see 8 tokens only/,
    ],
    ['ALiBi', { metadata: { '.attention.max_alibi_bias': 8 } }, /tiny as it weakens scores by distance \(ALiBi\)/],
  ]
  it.each(distant)('refuses a model with %s by name', async (_, options, message) => {
    const { decoder: model } = await openTiny(options)
    const merged = homer(model, { prefix, context: someIds(20, 3), suffix }, { maxChunk: 16, warmUp: 0, significance })
    await expect(merged).rejects.toThrow(TypeError)
    await expect(merged).rejects.toThrow(message)
    await model.dispose()
  })

  it('takes a model of an architecture with windows where the file has none', async () => {
    const { decoder: model } = await openTiny({ architecture: 'gemma3' })
    const { sources } = await homer(model, { prefix, context: someIds(20, 3), suffix }, { maxChunk: 16, warmUp: 0, significance })
    expect(sources.length).toBeLessThanOrEqual(16)
    await model.dispose()
  })

  it.each([12, 22, 30, 37, 44])('gives the same depth first and level by level for %i tokens', async (tokens) => {
    const [depth, level] = [await run(tokens), await run(tokens, { order: 'level' })]
    expect([...level.sources]).toEqual([...depth.sources])
    expect(farthest(level.logits, depth.logits)).toBe(0)
    for (const [index, rows] of rowsOf(depth).entries()) expect(farthest(rowsOf(level)[index] ?? [], rows)).toBe(0)
  })

  it.each([12, 25, 37, 44])('keeps prefix, suffix and order, and no more than its targets, for %i tokens', async (tokens) => {
    const reports: HomerReport[] = []
    const { sources, cache, plan, peakBytes } = await run(tokens, { onNode: (report) => reports.push(report), target: 12 })
    const context = [...sources].filter((source) => source >= 0)
    expect(context).toEqual([...new Set(context)].toSorted((a, b) => a - b))
    expect([...sources.slice(0, 3), ...sources.slice(-2)]).toEqual([-1, -1, -1, -1, -1])
    expect(cache.length).toBeLessThanOrEqual(12)
    expect(reports).toHaveLength(2 * plan.leaves - 1)
    for (const { node, tokens: held, kept } of reports) {
      expect(held).toBeLessThanOrEqual(16)
      expect(kept).toBe(Math.min(held, node.target))
    }
    expect(Math.max(...cache.positions)).toBe(plan.suffixPosition + 1)
    expect(peakBytes).toBe(plan.peakTokenLayers * decoder.config.kvHeads * decoder.config.headDim * 8)
    for (const layer of [0, 1, 2])
      expect(cache.exportRows(layer).keys).toHaveLength(cache.length * decoder.config.kvHeads * decoder.config.headDim)
  })

  it('keeps of the leaf layers what the chunks hold when they are run alone', async () => {
    const { sources, cache, plan } = await run(37)
    const alone = await Promise.all(
      Array.from({ length: plan.leaves }, async (_, leaf) => {
        const context = someIds(37, 3).slice(leaf * plan.leafContext, (leaf + 1) * plan.leafContext)
        const own = decoder.createCache()
        const ids = [...prefix, ...context, ...suffix]
        const inner = 3 + context.length
        const positions = Int32Array.from(ids, (_id, index) => (index < inner ? index : plan.suffixPosition + index - inner))
        await decoder.runLayers(0, 1, decoder.embed(ids), positions, own)
        return own.exportRows(0)
      }),
    )
    const width = decoder.config.kvHeads * decoder.config.headDim
    const kept = cache.exportRows(0)
    for (const [index, source] of sources.entries()) {
      const own = kept.keys.subarray(index * width, (index + 1) * width)
      if (source >= 0) {
        const leaf = Math.floor(source / plan.leafContext)
        const at = 3 + (source % plan.leafContext)
        expect(farthest(own, alone[leaf]?.keys.subarray(at * width, (at + 1) * width) ?? [])).toBeLessThan(1e-6)
      } else if (index < 3) {
        const mean = Float32Array.from(
          own,
          (_, unit) => alone.reduce((sum, { keys }) => sum + (keys[index * width + unit] ?? NaN), 0) / plan.leaves,
        )
        expect(farthest(own, mean)).toBeLessThan(1e-5)
      }
    }
  })

  it('goes on from its cache at the position after the suffix', async () => {
    const { cache, logits, plan } = await run(37)
    const ids: number[] = []
    for await (const id of decoder.generate(cache, logits, { maxTokens: 3 })) ids.push(id)
    expect(ids).toHaveLength(3)
    expect(cache.positions[cache.length - 2]).toBe(plan.suffixPosition + 2)
  })

  it('stops when it is told to', async () => {
    const abort = new AbortController()
    const running = run(37, { signal: abort.signal, onNode: ({ done }) => done === 2 && abort.abort(new Error('enough')) })
    await expect(running).rejects.toThrow('enough')
  })

  it('refuses what it cannot plan', async () => {
    await expect(run(200)).rejects.toThrow(/last of 32 leaves of 7 would be empty/)
  })
})

describe('significance', () => {
  it('takes the highest logit of all heads, each with its own key head, less the bias of the distance', () => {
    const config = { ...decoder.config, heads: 4, kvHeads: 2, headDim: 1 }
    const node = {
      config,
      layer: 7,
      query: Float32Array.of(1, 2, 3, -4),
      keys: Float32Array.of(1, 10, 2, -20, 3, 30),
      positions: Int32Array.of(0, 2, 5),
      carried: new Float32Array(3),
    }
    expect([...lastQueryLogits(node)]).toEqual([1, 2, 3, 2, 4, 6, 30, -60, 90, -40, 80, -120])
    expect([...calibratedSignificance()(node)]).toEqual([30, 80, 90])
    expect([...calibratedSignificance((layer, distance) => layer + distance)(node)]).toEqual([18, 70, 83])
  })

  it('drops the lowest, of equals the first, and never a token of prefix or suffix', () => {
    const scores = Float32Array.of(-9, 5, 1, 1, 7, 1, -9)
    const affixes = { prefix: 1, suffix: 1 }
    expect([...keptTokens(scores, affixes, 3)]).toEqual([0, 1, 4, 5, 6])
    expect([...keptTokens(scores, affixes, 4)]).toEqual([0, 1, 3, 4, 5, 6])
    expect([...keptTokens(scores, affixes, 0)]).toEqual([0, 6])
  })
})

describe('retrievalSignificance()', () => {
  const node = (carried: readonly number[]): Parameters<typeof lastQueryLogits>[0] => ({
    config: { ...decoder.config, heads: 2, kvHeads: 1, headDim: 1 },
    layer: 4,
    query: Float32Array.of(1, -1),
    keys: Float32Array.of(0, 0, 4, 0, 0, 0, 0, 0),
    positions: Int32Array.from({ length: 8 }, (_, index) => index),
    carried: Float32Array.from(carried),
  })
  const none = Array.from({ length: 8 }, () => -Infinity)

  it('standardises the heads of the layer, so that none outweighs another', () => {
    const first = retrievalSignificance({ heads: () => [0], width: 1, carry: false })(node(none))
    const second = retrievalSignificance({ heads: () => [1], width: 1, carry: false })(node(none))
    expect(first[2]).toBeCloseTo(Math.sqrt(7))
    expect(
      farthest(
        first,
        second.map((score) => -score),
      ),
    ).toBeLessThan(1e-6)
    const both = retrievalSignificance({ heads: () => [0, 1], width: 1, carry: false })(node(none))
    expect(farthest(both, new Float32Array(8))).toBeLessThan(1e-6)
  })

  it('gives neighbours the best score around them', () => {
    const scores = retrievalSignificance({ heads: () => [0], width: 3, carry: false })(node(none))
    expect([...scores].map((score) => score > 1)).toEqual([false, true, true, true, false, false, false, false])
  })

  it('keeps the best score that a token ever got, also where the layer has no head that retrieves', () => {
    const carried = [0, 0, 0, 0, 9, 0, 0, 0]
    expect([...retrievalSignificance({ heads: () => [0] })(node(carried))][4]).toBe(9)
    expect([...retrievalSignificance({ heads: () => [] })(node(carried))]).toEqual(carried)
    expect([...retrievalSignificance({ heads: () => [], carry: false })(node(carried))]).toEqual(carried.map(() => 0))
  })

  it.each([0, 2, 1.5, Number.NaN])('refuses a width of %d', (width) => {
    expect(() => retrievalSignificance({ heads: () => [0], width })).toThrow(RangeError)
  })
})

interface GoldenHomer {
  readonly prefixIds: readonly number[]
  readonly suffixIds: readonly number[]
  readonly keyIds: readonly number[]
  readonly bodyIds: readonly number[]
  readonly layersWarmup: number
  readonly cases: readonly {
    readonly maxChunkTokens: number
    readonly targetTokens: number
    readonly contextTokens: number
    readonly keyAt: number
    readonly bias: string
    readonly height: number
    readonly leaves: number
    readonly contextTokensPerLeaf: number
    readonly keptSourceIndices: readonly number[]
    readonly nextPosition: number
    readonly cacheTokens: number
    readonly top10: { readonly ids: readonly number[]; readonly logits: readonly number[] }
    readonly greedy8: readonly number[]
    readonly keyLayer29FirstRow8: readonly number[]
  }[]
}

const modelFile = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))

describe.skipIf(!existsSync(modelFile))('homer() on the bundled model, against an independent implementation', { timeout: 300_000 }, () => {
  const file = new URL('../golden/smollm2-135m-instruct-homer.json', import.meta.url)
  const golden = JSON.parse(readFileSync(file, 'utf8')) as GoldenHomer
  let bundled: Decoder
  beforeAll(async () => {
    bundled = await openDecoder({ runtime: onnxRuntime, source: memorySource(readFileSync(modelFile)) })
  }, 300_000)
  afterAll(() => bundled.dispose())

  it.each(golden.cases)('$contextTokens tokens in nodes of $maxChunkTokens', async (one) => {
    const { prefixIds, suffixIds, keyIds, bodyIds, layersWarmup: warmUp } = golden
    const { contextTokens, keyAt, maxChunkTokens: maxChunk, targetTokens: target } = one
    const context = [...bodyIds.slice(0, keyAt), ...keyIds, ...bodyIds.slice(keyAt, contextTokens - keyIds.length)]
    const bias = one.bias === 'none' ? undefined : (_: number, distance: number): number => -0.02 * distance
    const options = { maxChunk, target, warmUp, significance: calibratedSignificance(bias) }
    const { plan, sources, cache, logits } = await homer(bundled, { prefix: prefixIds, context, suffix: suffixIds }, options)
    expect(plan).toMatchObject({ height: one.height, leaves: one.leaves, leafContext: one.contextTokensPerLeaf })
    expect([...sources].filter((source) => source >= 0)).toEqual(one.keptSourceIndices)
    expect([cache.length, (cache.positions.at(-1) ?? 0) + 1]).toEqual([one.cacheTokens, one.nextPosition])
    expect(
      farthest(
        one.top10.ids.map((id) => logits[id] ?? NaN),
        one.top10.logits,
      ),
    ).toBeLessThan(2e-3)
    // The file turns neighbouring pairs where the golden values turn halves: the first of each pair are the first half.
    const firstHalf = cache
      .exportRows(29)
      .keys.subarray(0, 16)
      .filter((_, index) => index % 2 === 0)
    expect(farthest(firstHalf, one.keyLayer29FirstRow8)).toBeLessThan(2e-3)
    const ids: number[] = []
    for await (const id of bundled.generate(cache, logits, { maxTokens: 8 })) ids.push(id)
    expect(ids).toEqual(one.greedy8)
  })
})
