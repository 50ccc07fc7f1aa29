import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Decoder, openDecoder } from '../../attention/index.ts'
import { homer, type HomerNodes, type HomerOptions, type HomerReport, type HomerResult } from '../../attention/homer.ts'
import type { NodeState } from '../../attention/homer-node.ts'
import { readAgain } from '../../attention/read-again.ts'
import { retrievalSignificance, type RetrievalOptions } from '../../attention/retrieval-significance.ts'
import { scoreLeaves } from '../../attention/score-leaves.ts'
import { calibratedSignificance, headLogits, keptTokens, type ScoredNode } from '../../attention/significance.ts'
import { survivingSpans } from '../../attention/surviving-spans.ts'
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

  it.each(['depth', 'level'] as const)('goes on from the nodes that a stopped merge had finished, %s first', async (order) => {
    const whole = await run(44, { order })
    const states = new Map<string, NodeState>()
    const ran: string[] = []
    const nameOf = ({ height, start }: HomerReport['node']): string => `${height}-${start}`
    const nodes: HomerNodes = {
      load: (node) => Promise.resolve(states.get(nameOf(node))),
      save: (node, state) => {
        for (const { height, start } of node.children) states.delete(`${height}-${start}`)
        states.set(nameOf(node), state)
        return Promise.resolve()
      },
    }
    const abort = new AbortController()
    const onNode = ({ node, done }: HomerReport): void => {
      ran.push(nameOf(node))
      if (done === 4) abort.abort(new Error('enough'))
    }
    await expect(run(44, { order, nodes, onNode, signal: abort.signal })).rejects.toThrow('enough')
    const reports: HomerReport[] = []
    const resumed = await run(44, { order, nodes, onNode: (report) => reports.push(report) })
    ran.push(...reports.map(({ node }) => nameOf(node)))
    expect(ran).toHaveLength(2 * whole.plan.leaves - 1)
    expect(new Set(ran).size).toBe(ran.length)
    expect(reports.at(-1)).toMatchObject({ done: 2 * whole.plan.leaves - 1, total: 2 * whole.plan.leaves - 1 })
    expect([...resumed.sources]).toEqual([...whole.sources])
    expect(farthest(resumed.logits, whole.logits)).toBe(0)
  })

  it('takes the suffix of the half with the better score where it is told to', async () => {
    const [mean, better] = [await run(20), await run(20, { suffix: 'better' })]
    expect([...better.sources]).toEqual([...mean.sources])
    expect(farthest(better.logits, mean.logits)).toBeGreaterThan(1e-4)
    const alone = await Promise.all(
      [0, 10].map(async (start) => {
        const cache = decoder.createCache()
        const ids = [...prefix, ...someIds(20, 3).slice(start, start + 10), ...suffix]
        await decoder.runLayers(0, 1, decoder.embed(ids), Int32Array.from(ids.keys()), cache)
        return cache.exportRows(0).keys.slice(-32)
      }),
    )
    const { keys } = better.cache.exportRows(0)
    const tail = keys.slice(-32)
    expect(Math.min(...alone.map((rows) => farthest(rows.slice(-tail.length), tail)))).toBeLessThan(1e-6)
  })

  it('refuses leaves that run no layer which the significance looks at', async () => {
    const blind = retrievalSignificance({ heads: [{ layer: 2, head: 0 }] })
    await expect(run(37, { significance: blind })).rejects.toThrow(
      /leaves run the layers 0 to 0, and the significance looks at none of them/,
    )
    await expect(run(9, { significance: blind })).resolves.toMatchObject({ plan: { leaves: 1 } })
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

/** A node of a layer with as many heads as there are values of the query, each of one dimension. */
function scored(queries: readonly number[], keys: readonly number[], given: Partial<ScoredNode> & { kvHeads?: number } = {}): ScoredNode {
  const { kvHeads = 1, ...rest } = given
  const tokens = keys.length / kvHeads
  return {
    config: { ...decoder.config, heads: queries.length, kvHeads, headDim: 1 },
    seen: [{ layer: 7, queries: Float32Array.from(queries), keys: Float32Array.from(keys) }],
    positions: Int32Array.from({ length: tokens }, (_, index) => index),
    context: { start: 0, end: tokens },
    carried: new Float32Array(tokens).fill(-Infinity),
    ...rest,
  }
}

describe('calibratedSignificance()', () => {
  it('takes the highest logit of all heads, each with its own key head, less the bias of the distance', () => {
    const node = scored([1, 2, 3, -4], [1, 10, 2, -20, 3, 30], { kvHeads: 2, positions: Int32Array.of(0, 2, 5) })
    const [seen] = node.seen
    expect([0, 1, 2, 3].map((head) => Array.from(seen === undefined ? [] : headLogits(node.config, seen, 0, head)))).toEqual([
      [1, 2, 3],
      [2, 4, 6],
      [30, -60, 90],
      [-40, 80, -120],
    ])
    expect([...calibratedSignificance().score(node)]).toEqual([30, 80, 90])
    expect([...calibratedSignificance((layer, distance) => layer + distance).score(node)]).toEqual([18, 70, 83])
    expect(calibratedSignificance().layers(3, 9)).toEqual([8])
  })

  it('pools over neighbours and carries scores where it is told to', () => {
    const node = scored([1], [0, 5, 0, 0, 0], { carried: Float32Array.of(0, 0, 0, 0, 9) })
    expect([...calibratedSignificance(undefined, { width: 3 }).score(node)]).toEqual([5, 5, 5, 0, 0])
    expect([...calibratedSignificance(undefined, { carry: true }).score(node)]).toEqual([0, 5, 0, 0, 9])
  })

  it.each([0, 2, 1.5, Number.NaN])('refuses a width of %d', (width) => {
    expect(() => calibratedSignificance(undefined, { width })).toThrow(RangeError)
    expect(() => retrievalSignificance({ heads: [{ layer: 0, head: 0 }], width })).toThrow(RangeError)
  })
})

describe('keptTokens()', () => {
  it('drops the lowest, of equals the first, and never a token of prefix or suffix', () => {
    const scores = Float32Array.of(-9, 5, 1, 1, 7, 1, -9)
    const affixes = { prefix: 1, suffix: 1 }
    expect([...keptTokens(scores, affixes, 3)]).toEqual([0, 1, 4, 5, 6])
    expect([...keptTokens(scores, affixes, 4)]).toEqual([0, 1, 3, 4, 5, 6])
    expect([...keptTokens(scores, affixes, 0)]).toEqual([0, 6])
  })
})

describe('retrievalSignificance()', () => {
  const node = (given: Partial<ScoredNode> = {}): ScoredNode => scored([1, -1], [0, 0, 4, 0, 0, 0, 0, 0], given)
  const score = (options: Partial<RetrievalOptions>, given: Partial<ScoredNode> = {}): number[] => [
    ...retrievalSignificance({ heads: [{ layer: 7, head: 0 }], width: 1, carry: false, ...options }).score(node(given)),
  ]

  const logOf = (weight: number): number => Math.log(weight + 1e-4)
  const [great, small] = [Math.exp(4) / (7 + Math.exp(4)), Math.exp(-4) / (7 + Math.exp(-4))]

  it('is the mean over heads of the logarithm of the weight', () => {
    const first = [0, 0, 1, 0, 0, 0, 0, 0].map((found) => logOf(found === 1 ? great : (1 - great) / 7))
    const second = [0, 0, 1, 0, 0, 0, 0, 0].map((found) => logOf(found === 1 ? small : (1 - small) / 7))
    expect(farthest(score({}), first)).toBeLessThan(1e-5)
    expect(farthest(score({ heads: [{ layer: 7, head: 1 }] }), second)).toBeLessThan(1e-5)
    const both = [0, 1].map((head) => ({ layer: 7, head }))
    expect(
      farthest(
        score({ heads: both }),
        first.map((value, token) => (value + (second[token] ?? NaN)) / 2),
      ),
    ).toBeLessThan(1e-5)
  })

  it('averages the weights of the rows that it sees, none of which sees a token after its own', () => {
    const { seen } = node()
    const rows = seen.map(({ layer, keys }) => ({ layer, keys, queries: Float32Array.of(1, 0, 0, 0) }))
    const expected = Array.from({ length: 8 }, (_, token) => {
      const first = token === 7 ? 0 : Math.exp(token === 2 ? 4 : 0) / (6 + Math.exp(4))
      return logOf((first + 1 / 8) / 2)
    })
    expect(farthest(score({ rows: 2 }, { seen: rows }), expected)).toBeLessThan(1e-5)
  })

  it('gives neighbours the best score around them, within the context', () => {
    expect(score({ width: 3 }).map((value) => value > -1)).toEqual([false, true, true, true, false, false, false, false])
    const later = score({ width: 3 }, { context: { start: 3, end: 8 } })
    expect(later.slice(3).map((value) => value > -1)).toEqual([false, false, false, false, false])
  })

  it('keeps the best score that a token ever got, also where the node ran no head that retrieves', () => {
    const carried = Float32Array.of(0, 0, 0, 0, 9, 0, 0, 0)
    expect(score({ carry: true }, { carried })[4]).toBe(9)
    expect(score({}, { carried, seen: [] })).toEqual([...carried])
  })

  it('looks at the layers of its heads that a node runs', () => {
    const heads = [5, 3, 5, 9].map((layer, head) => ({ layer, head }))
    const { layers } = retrievalSignificance({ heads })
    expect([layers(0, 9), layers(4, 10), layers(6, 8)]).toEqual([[3, 5], [5, 9], []])
  })

  it('refuses no heads, and no rows', () => {
    expect(() => retrievalSignificance({ heads: [] })).toThrow(/there are none/)
    expect(() => retrievalSignificance({ heads: [{ layer: 0, head: 0 }], rows: 0 })).toThrow(/rows is not a number above 0: 0/)
  })
})

describe('readAgain()', () => {
  it('is a plain forward pass where nothing was merged or dropped', async () => {
    const { cache } = await run(9)
    const plain = decoder.createCache()
    const logits = await decoder.prefill([...prefix, ...someIds(9, 3), ...suffix], plain)
    for (const renumber of [true, false]) {
      const again = await readAgain(decoder, cache, suffix, { renumber })
      expect(farthest(again.logits, logits)).toBeLessThan(1e-4)
      expect([...again.cache.positions]).toEqual([...plain.positions])
    }
  })

  it('leaves the merged cache as it is, and asks another question after the first', async () => {
    const { cache, plan } = await run(37)
    const before = { length: cache.length, positions: [...cache.positions] }
    const other = someIds(4, 8)
    const placed = await readAgain(decoder, cache, other)
    expect([...placed.cache.positions]).toEqual(Array.from({ length: placed.cache.length }, (_, index) => index))
    expect(placed.cache.length).toBe(cache.length + 2)
    const kept = await readAgain(decoder, cache, other, { renumber: false })
    expect(Array.from(kept.cache.positions.subarray(-4))).toEqual([0, 1, 2, 3].map((index) => plan.suffixPosition + index))
    expect({ length: cache.length, positions: [...cache.positions] }).toEqual(before)
    const back = await readAgain(decoder, placed.cache, suffix)
    const direct = await readAgain(decoder, cache, suffix)
    expect(farthest(back.logits, direct.logits)).toBeLessThan(1e-4)
  })

  it('refuses a cache without a text, and no question', async () => {
    const { cache } = await run(9)
    await expect(readAgain(decoder, cache, [])).rejects.toThrow(/no tokens/)
    await expect(readAgain(decoder, decoder.createCache(), suffix)).rejects.toThrow(/none of the cache's 0 tokens/)
  })
})

describe('survivingSpans()', () => {
  const found = {
    sources: Int32Array.of(-1, 2, 3, 5, 20, 21, 40, -1),
    scores: Float32Array.of(0, 1, 4, 1, 7, 2, 3, 0),
  }

  it('joins survivors that stand near each other, in the order of the text', () => {
    expect(survivingSpans(found)).toEqual([
      { start: 2, end: 6, kept: 3, score: 4 },
      { start: 20, end: 22, kept: 2, score: 7 },
      { start: 40, end: 41, kept: 1, score: 3 },
    ])
    expect(survivingSpans(found, { gap: 0 }).map(({ start, end }) => [start, end])).toEqual([
      [2, 4],
      [5, 6],
      [20, 22],
      [40, 41],
    ])
  })

  it('takes the survivors with the best scores up to a number, the first of equals', () => {
    expect(survivingSpans(found, { most: 1 }).map(({ start, end }) => [start, end])).toEqual([[20, 21]])
    expect(survivingSpans(found, { most: 3 }).map(({ start, end }) => [start, end])).toEqual([
      [3, 4],
      [20, 21],
      [40, 41],
    ])
    expect(survivingSpans(found, { most: 5 }).map(({ start, end }) => [start, end])).toEqual([
      [2, 4],
      [20, 22],
      [40, 41],
    ])
  })
})

describe('scoreLeaves()', () => {
  const heads = [{ layer: 1, head: 0 }]

  it('scores as the leaves of a merge do, and keeps the best of all', async () => {
    const context = someIds(37, 3)
    const rule = retrievalSignificance({ heads, width: 1 })
    const shares: number[] = []
    const options = { maxChunk: 16, keep: 8, significance: rule, onProgress: (share: number) => shares.push(share) }
    const found = await scoreLeaves(decoder, { prefix, context, suffix }, options)
    expect(found.sources).toHaveLength(8)
    expect(shares).toEqual([10 / 37, 20 / 37, 30 / 37, 1])
    const all = await scoreLeaves(decoder, { prefix, context, suffix }, { ...options, keep: 37 })
    const least = Math.min(...found.scores)
    expect([...all.scores].filter((score) => score > least)).toHaveLength([...found.scores].filter((score) => score > least).length)
    const one = await run(9, { significance: rule })
    const alone = await scoreLeaves(decoder, { prefix, context: someIds(9, 3), suffix }, { ...options, keep: 9 })
    expect(farthest(one.scores.slice(3, -2), alone.scores)).toBeLessThan(1e-5)
  })

  it('refuses a significance that looks at no layer of the model', async () => {
    const blind = retrievalSignificance({ heads: [{ layer: 99, head: 0 }] })
    const scoring = scoreLeaves(decoder, { prefix, context: someIds(20, 3), suffix }, { maxChunk: 16, keep: 4, significance: blind })
    await expect(scoring).rejects.toThrow(/looks at none of the model's 3 layers/)
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
    bundled = await openDecoder({ runtime: onnxRuntime, source: memorySource(readFileSync(modelFile)), readForm: 'float32' })
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
