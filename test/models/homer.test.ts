import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ContextOverflowError, ModelFileError } from '../../errors/index.ts'
import {
  type HomerReading,
  type HomerText,
  type HomerTreeNode,
  isHomerModel,
  type LocalModel,
  openEngine,
  openLocalModel,
  readCacheHeader,
  type SavedNode,
} from '../../models/index.ts'
import { type TinyOptions, writeTinyModel } from '../attention/tiny-model.ts'

// A token is a letter or a mark, and a space has none.
const words = ['whale', 'ship', 'sea', 'mast', 'captain', 'rope', 'storm', 'harpoon']
const context = Array.from({ length: 60 }, (_, at) => `${words[(at * 5) % 8]}${at}`).join(' ')
const text: HomerText = { prefix: 'Passage:', context, suffix: 'Question:who?' }
const settings = { chunkTokens: 96, keep: 64 }

let folder: string
let model: LocalModel

async function openTiny(options: TinyOptions = {}): Promise<LocalModel> {
  const path = join(folder, `${Math.abs(JSON.stringify(options).length)}.gguf`)
  await writeFile(path, writeTinyModel({ shape: { layers: 6 }, ...options }))
  return openLocalModel({ path, threads: 1 })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homer-'))
  model = await openTiny()
})

afterAll(async () => {
  await model.dispose()
  await rm(folder, { recursive: true })
})

/** Scores after the cache say whether two caches are the same. */
async function scoresOf({ cache }: HomerReading): Promise<readonly number[]> {
  const [found] = await cache.logProbs([{ prefix: 'Answer:', text: 'thewhale' }])
  return found?.tokens ?? []
}

describe('homer() of a local model', { timeout: 60_000 }, () => {
  it('keeps what it was asked to, and says where it stood', async () => {
    const seen: HomerTreeNode[] = []
    const reading = await model.homer(text, { ...settings, onNode: (node) => seen.push(node) })
    const { cache, tokens, spans, figures, peakBytes } = reading
    expect(cache.tokens).toBe(settings.keep)
    expect(tokens).toHaveLength(settings.keep - figures.affixes)
    for (const { start, end } of tokens) expect(context.slice(start, end).trim()).toHaveLength(1)
    expect(tokens.map(({ index }) => index)).toEqual(tokens.map(({ index }) => index).toSorted((a, b) => a - b))
    expect(spans.reduce((sum, { kept }) => sum + kept, 0)).toBe(tokens.length)
    for (const [at, span] of spans.entries()) expect(span.from).toBeGreaterThan((spans[at - 1]?.to ?? -9) + 8)
    expect(seen.map(({ index }) => index)).toEqual(Array.from({ length: 2 * figures.leaves - 1 }, (_, index) => index))
    expect(peakBytes).toBe(figures.peakBytes)
    expect(figures.context).toBe(model.count(context))
    expect((await scoresOf(reading)).every((logProb) => logProb < 0)).toBe(true)
    await cache.dispose()
  })

  it('takes a text of one chunk as it is', async () => {
    const short = { ...text, context: context.slice(0, 60) }
    const { tokens, spans, figures, cache } = await model.homer(short, { chunkTokens: 96 })
    expect(figures).toMatchObject({ leaves: 1, height: 0, layerShare: 1 })
    expect(tokens).toHaveLength(model.count(short.context))
    expect(spans).toMatchObject([{ from: 0, start: 0, end: 60 }])
    await cache.dispose()
  })

  it('saves what is left, and takes it up again under its policy', async () => {
    const reading = await model.homer(text, settings)
    const path = join(folder, 'merged.cache')
    await reading.cache.save(path)
    expect(await readCacheHeader(path)).toMatchObject({ tokens: 64, policy: 'homer chunk 96, keep 64, warm-up 2, all heads' })
    await using loaded = await model.loadCache(path)
    expect(loaded.tokens).toBe(64)
    expect(await scoresOf({ ...reading, cache: loaded })).toEqual(await scoresOf(reading))
    await using fork = await loaded.fork()
    await fork.save(path)
    expect((await readCacheHeader(path)).policy).toMatch(/^homer /)
    await reading.cache.dispose()
  })

  it('goes by the heads that retrieve, or by a calibration, where the model has them', async () => {
    const path = join(folder, 'ruled.gguf')
    await writeFile(path, writeTinyModel({ shape: { layers: 6 } }))
    const fingerprint = /@([0-9a-f]+)\//.exec(model.id)?.[1]
    const heads = [{ layer: 2, head: 1, rank: 0.99, share: 0.5 }]
    await writeFile(join(folder, 'ruled.heads.json'), JSON.stringify({ version: 1, model: fingerprint, heads, settings: {} }))
    await using cache = await model.openCache('whale')
    await cache.save(join(folder, 'whale.cache'))
    const { rope: ropeForm } = await readCacheHeader(join(folder, 'whale.cache'))
    const distances = [0, 1, 90]
    const table = { version: 1, model: fingerprint, ropeForm, distances, logits: Array.from({ length: 6 }, () => [0, 9, -9]) }
    await writeFile(join(folder, 'ruled.bias.json'), JSON.stringify(table))
    await using ruled = await openLocalModel({ path, threads: 1 })
    const kept = async (local: LocalModel, rule?: 'heads' | 'calibrated'): Promise<string> => {
      const { cache: merged, tokens } = await local.homer(text, { ...settings, ...(rule && { rule }) })
      await merged.dispose()
      return tokens.map(({ index }) => index).join()
    }
    const found = new Set([await kept(ruled), await kept(ruled, 'calibrated'), await kept(model)])
    expect(found.size).toBe(3)
    expect(await kept(ruled, 'heads')).toBe(await kept(ruled))
    expect(() => model.homerTree(text, { ...settings, rule: 'heads' })).toThrow(/has no head profile/)
    await rm(join(folder, 'ruled.bias.json'))
    await using bare = await openLocalModel({ path, threads: 1 })
    expect(await kept(bare, 'calibrated')).toBe(await kept(model))
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const seen: number[] = []
    const merging = model.homer(text, {
      ...settings,
      signal: stop.signal,
      onNode: ({ index }) => {
        seen.push(index)
        if (index === 1) stop.abort(reason)
      },
    })
    await expect(merging).rejects.toBe(reason)
    expect(seen).toEqual([0, 1])
    await expect(model.homer(text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('lets calls of a higher priority run between two nodes', async () => {
    const order: string[] = []
    let asked: Promise<unknown> | undefined
    const onNode = ({ index }: HomerTreeNode): void => {
      order.push(`node ${index}`)
      asked ??= model.logProbs([{ prefix: 'a', text: 'b' }], { priority: -1 }).then(() => order.push('question'))
    }
    const { cache } = await model.homer(text, { ...settings, priority: 5, onNode })
    await asked
    expect(order.indexOf('question')).toBeLessThan(order.length - 1)
    await cache.dispose()
  })

  it.each<[string, Partial<HomerText>, object, new (...args: never[]) => Error, RegExp]>([
    ['an empty text', { context: '' }, {}, RangeError, /the context has no tokens/],
    ['no question', { suffix: '' }, {}, RangeError, /the suffix has no tokens/],
    ['a chunk that is all prefix and suffix', {}, { chunkTokens: 10 }, RangeError, /leave a node of 10 tokens no room/],
    ['too many levels', {}, { warmUp: 4 }, RangeError, /levels need a layer each/],
    ['a chunk above the window', {}, { chunkTokens: 4096 }, ContextOverflowError, /chunk 4096/],
  ])('refuses %s with numbers', async (_, given, own, type, message) => {
    const merging = model.homer({ ...text, ...given }, { ...settings, ...own })
    await expect(merging).rejects.toThrow(type)
    await expect(merging).rejects.toThrow(message)
  })

  it.each<[string, TinyOptions, RegExp]>([
    [
      'a sliding window',
      { architecture: 'gemma3', metadata: { '.attention.sliding_window': 8 } },
      /see 8 tokens only \(a sliding window\)/,
    ],
    ['ALiBi', { metadata: { '.attention.max_alibi_bias': 8 } }, /weakens scores by distance \(ALiBi\)/],
  ])('refuses a model with %s before it loads', async (_, options, message) => {
    await using other = await openTiny(options)
    expect(() => other.homerTree(text, settings)).toThrow(ModelFileError)
    expect(() => other.homerTree(text, settings)).toThrow(message)
  })
})

describe('a tree of a local model', { timeout: 60_000 }, () => {
  let expected: readonly number[]
  beforeAll(async () => {
    const reading = await model.homer(text, settings)
    expected = await scoresOf(reading)
    await reading.cache.dispose()
  })

  it('is of a model that merges', () => {
    expect([isHomerModel(model), isHomerModel({ invoke: () => {} })]).toEqual([true, false])
  })

  it('gives the same node by node as in one call, and holds what it has so far', async () => {
    await using tree = model.homerTree(text, settings)
    const ran: number[] = []
    for (const node of tree.nodes.slice(0, -1)) await tree.grow(node, { onNode: ({ index }) => ran.push(index) })
    const reading = await tree.read({ onNode: ({ index }) => ran.push(index) })
    expect(ran).toEqual(tree.nodes.map(({ index }) => index))
    expect(await scoresOf(reading)).toEqual(expected)
    await reading.cache.dispose()
  })

  it('goes on from files in another engine, and runs anew what they do not hold', async () => {
    await using first = model.homerTree(text, settings)
    const saved: SavedNode[] = []
    for (const node of first.nodes.slice(0, -1)) {
      const file = join(folder, `${node.index}.node`)
      const sha256 = (await first.grow(node, { file })) ?? ''
      saved.push({ node: node.index, file, sha256 })
    }
    const top = first.nodes.at(-1)?.children ?? []
    await using engine = openEngine()
    await using other = await openLocalModel({ path: join(folder, '2.gguf'), threads: 1, engine })
    const finish = async (given: readonly SavedNode[]): Promise<number[]> => {
      await using tree = other.homerTree(text, settings)
      const ran: number[] = []
      const reading = await tree.read({ saved: given, onNode: ({ index }) => ran.push(index) })
      expect(await scoresOf(reading)).toEqual(expected)
      await reading.cache.dispose()
      return ran
    }
    const root = first.nodes.length - 1
    const known = saved.filter(({ node }) => top.includes(node))
    expect(await finish(known)).toEqual([root])
    const [left = 0, right = 0] = top
    expect(await finish(known.filter(({ node }) => node === left))).toEqual(first.nodes.slice(left + 1).map(({ index }) => index))
    expect(await finish(known.map((one) => (one.node === right ? { ...one, sha256: '0'.repeat(64) } : one)))).toHaveLength(root - left)
    const damaged = join(folder, `${right}.node`)
    await writeFile(damaged, (await readFile(damaged)).subarray(0, -100))
    expect(await finish(known)).toHaveLength(root - left)
    await rm(damaged)
    expect(await finish(known)).toHaveLength(root - left)
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('does not take a node of another question for its own', async () => {
    await using tree = model.homerTree(text, settings)
    await using other = model.homerTree({ ...text, suffix: 'Question:why?' }, settings)
    const [leaf] = tree.nodes as [HomerTreeNode]
    const file = join(folder, 'leaf.node')
    const sha256 = (await tree.grow(leaf, { file })) ?? ''
    const ran: number[] = []
    await other.grow(leaf, { saved: [{ node: 0, file, sha256 }], onNode: ({ index }) => ran.push(index) })
    expect(ran).toEqual([0])
    expect(other.keyOf(leaf)).not.toBe(tree.keyOf(leaf))
  })

  it('has one key for what comes to the same', () => {
    const longer = { ...text, context: `${context} and so on` }
    const same = model.homerTree(text, settings)
    const [first] = same.nodes as [HomerTreeNode]
    expect(model.homerTree(text, settings).keyOf(first)).toBe(same.keyOf(first))
    expect(model.homerTree(text, { ...settings, keep: 48 }).keyOf(first)).toBe(same.keyOf(first))
    expect(model.homerTree(longer, settings).keyOf(first)).not.toBe(same.keyOf(first))
  })

  it('is used no more once it is disposed of', async () => {
    const tree = model.homerTree(text, settings)
    await Promise.all([tree.dispose(), tree.dispose()])
    await expect(tree.read()).rejects.toThrow(TypeError)
    await expect(tree.read()).rejects.toThrow(/the tree is disposed: a text of \d+ tokens/)
  })
})
