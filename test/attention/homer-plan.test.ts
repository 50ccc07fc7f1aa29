import { describe, expect, it } from 'vitest'
import { type HomerLengths, type HomerNode, planHomer, tokensIn } from '../../attention/homer-plan.ts'

const small: HomerLengths = { prefix: 3, suffix: 2, context: 37, layers: 8, warmUp: 2, maxChunk: 16, target: 16 }
/** Of the paper's published setting. */
const usual = (context: number): HomerLengths => ({ prefix: 50, suffix: 50, context, layers: 32, warmUp: 12, maxChunk: 2048 })

function nodes(node: HomerNode): HomerNode[] {
  return [node, ...node.children.flatMap(nodes)]
}

describe('planHomer()', () => {
  it('plans the worked example: leaves of 15, 15, 15 and 12 tokens, and a root of 15', () => {
    const plan = planHomer(small)
    expect(plan).toMatchObject({ height: 2, leaves: 4, leafContext: 10, suffixPosition: 13, peakTokenLayers: 150 })
    const all = nodes(plan.root)
    const leaves = all.filter(({ height }) => height === 0)
    expect(leaves.map((leaf) => tokensIn(leaf, small))).toEqual([15, 15, 15, 12])
    expect(leaves.map(({ from, to, target }) => [from, to, target])).toEqual(leaves.map(() => [0, 4, 10]))
    expect(all.filter(({ height }) => height === 1).map((node) => [tokensIn(node, small), node.from, node.to, node.target])).toEqual([
      [15, 4, 6, 10],
      [15, 4, 6, 10],
    ])
    expect([tokensIn(plan.root, small), plan.root.from, plan.root.to, plan.root.target]).toEqual([15, 6, 8, 16])
  })

  it.each([
    [4_096 - 100, 2, 20, 6, 81_172],
    [8_192 - 100, 3, 17, 5, 97_682],
    [16_384 - 100, 4, 16, 4, 118_288],
    [32_768 - 100, 5, 17, 3, 146_212],
  ])('shares the layers for %i tokens of context, and knows its peak', (context, height, leafLayers, share, peak) => {
    const plan = planHomer(usual(context))
    const all = nodes(plan.root)
    expect(plan.height).toBe(height)
    expect(all.find((node) => node.height === 0)).toMatchObject({ from: 0, to: leafLayers })
    expect(all.find((node) => node.height === 1)).toMatchObject({ from: leafLayers, to: leafLayers + share })
    expect(Math.abs(plan.peakTokenLayers - peak) / peak).toBeLessThan(0.03)
  })

  it.each(
    [8, 12, 24, 30].flatMap((layers) =>
      [0, 2, 5, 7].flatMap((warmUp) => [1, 11, 12, 37, 80, 158].map((context) => [layers, warmUp, context] as const)),
    ),
  )('parts %i layers after a warm-up of %i without gap or overlap for %i tokens', (layers, warmUp, context) => {
    const lengths = { ...small, layers, warmUp, context }
    const levels = Math.ceil(Math.log2(Math.ceil(context / 11))) + 1
    if (levels > layers - warmUp) {
      expect(() => planHomer(lengths)).toThrow(/levels need a layer each/)
      return
    }
    const plan = planHomer(lengths)
    const all = nodes(plan.root)
    const bounds = Array.from({ length: plan.height + 1 }, (_, height) => all.find((node) => node.height === height))
    expect(bounds[0]?.from).toBe(0)
    expect(bounds.at(-1)?.to).toBe(layers)
    for (const [height, node] of bounds.entries()) if (height > 0) expect(node?.from).toBe(bounds[height - 1]?.to)
    expect(bounds[0]?.to).toBeGreaterThan(warmUp)
    for (const node of all) {
      expect(tokensIn(node, lengths)).toBeLessThanOrEqual(lengths.maxChunk)
      expect(node.end).toBeGreaterThan(node.start)
    }
    const leaves = all.filter(({ height }) => height === 0)
    expect(leaves[0]?.start).toBe(0)
    expect(leaves.at(-1)?.end).toBe(context)
  })

  it('lets the neighbour of a short last leaf leave with more', () => {
    const plan = planHomer({ ...small, context: 25 })
    const [left, right] = plan.root.children[1]?.children ?? []
    expect([right?.end, tokensIn(right as HomerNode, small), right?.target]).toEqual([25, 9, 9])
    expect(left?.target).toBe(12)
    expect(tokensIn(plan.root.children[1] as HomerNode, small)).toBe(16)
    expect(plan.root.children.map(({ target }) => target)).toEqual([10, 10])
  })

  it.each<[string, Partial<HomerLengths>, RegExp]>([
    ['no suffix', { suffix: 0 }, /suffix has no tokens/],
    ['no context', { context: 0 }, /context has no tokens/],
    ['affixes as long as a node', { prefix: 14 }, /prefix \(14\) and suffix \(2\) leave a node of 16/],
    ['affixes as long as the target', { target: 5 }, /leave a target of 5/],
    ['more levels than layers', { context: 700 }, /7 levels need a layer each after a warm-up of 2, and the model has 8/],
    ['an empty last leaf', { context: 150, layers: 30 }, /last of 16 leaves of 10 would be empty/],
    ['half a token', { maxChunk: 16.5 }, /maxChunk is not a whole number from 0: 16\.5/],
  ])('refuses %s', (_, lengths, message) => {
    expect(() => planHomer({ ...small, ...lengths })).toThrow(message)
  })
})
