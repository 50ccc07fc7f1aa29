/**
 * Hierarchical context merging (HOMER, Song et al., ICLR 2024, arXiv 2404.10308, section 3): a text of any length becomes a cache of one window. Leaves
 * that share prefix and suffix run the lower layers, are pruned and merged pair by pair up a binary tree, and the root runs the last layers. Memory
 * grows with the logarithm of the length, as one finished sibling a level waits at most.
 */
import type { Decoder, DecoderConfig, KVCache, Observation, PrefillOptions } from './decoder.ts'
import { bytesOf, keepTokens, mergeNodes, type NodeState, tokensOf } from './homer-node.ts'
import { type HomerNode, type HomerPlan, planHomer } from './homer-plan.ts'
import { keptTokens, type Significance } from './significance.ts'

export interface HomerPrompt {
  /** Token ids that all leaves begin with: what sets the model up. */
  readonly prefix: readonly number[]
  /** Token ids of the text. */
  readonly context: readonly number[]
  /** Token ids that all leaves end with: the question. Its last token decides what is kept. */
  readonly suffix: readonly number[]
}

export interface HomerOptions {
  /** Most tokens of a node, with prefix and suffix; 2,048 by default. */
  readonly maxChunk?: number
  /** Most tokens of the finished cache; `maxChunk` by default. */
  readonly target?: number
  /** Layers before anything is pruned; three eighths of all by default, as in the paper. */
  readonly warmUp?: number
  /** What is kept. */
  readonly significance: Significance
  /** `depth`, the default, keeps memory low; `level` finishes each level before the next. Both give the same. */
  readonly order?: 'depth' | 'level'
  /** Where finished nodes are kept, so that a merge that was broken off goes on from them; in the depth-first order. */
  readonly nodes?: HomerNodes
  readonly signal?: AbortSignal
  /** Told after each node. */
  readonly onNode?: (report: HomerReport) => void
}

/** Finished nodes outside of a merge. */
export interface HomerNodes {
  /** The state that a node came to, where it is known: neither it nor what is below it runs then. */
  find(node: HomerNode): Promise<NodeState | undefined>
  /** Told of each node that ran; the merge goes on when it is done. */
  keep(node: HomerNode, state: NodeState): Promise<void>
}

/** What became of a node. */
export interface HomerReport {
  readonly node: HomerNode
  /** Tokens before and after it was pruned. */
  readonly tokens: number
  readonly kept: number
  /** Bytes of keys and values held by this node and those that wait. */
  readonly bytes: number
  readonly done: number
  readonly total: number
}

export interface HomerResult {
  /** At most `target` tokens, the same in all layers. `lastHidden` is set. */
  readonly cache: KVCache
  /** Logits of the token that follows the suffix [vocabulary]. */
  readonly logits: Float32Array
  /** Index in the context of each token of the cache; -1 for prefix and suffix. */
  readonly sources: Int32Array
  /** Score of each token of the cache, where it has one. */
  readonly scores: Float32Array
  readonly plan: HomerPlan
  /** Most bytes of keys and values held at one time. */
  readonly peakBytes: number
}

/**
 * @throws RangeError when the lengths leave a node without context or a level without a layer
 * @throws TypeError when the model has layers with a sliding window, or ALiBi
 */
export async function homer(decoder: Decoder, prompt: HomerPrompt, options: HomerOptions): Promise<HomerResult> {
  refuseDistances(decoder.config)
  const { layers } = decoder.config
  const { maxChunk = 2_048, warmUp = Math.round((layers * 3) / 8), order = 'depth', target = maxChunk } = options
  const { prefix, context, suffix } = prompt
  const plan = planHomer({ prefix: prefix.length, context: context.length, suffix: suffix.length, layers, maxChunk, target, warmUp })
  const builder = new HomerBuilder(decoder, prompt, plan, options)
  const root = order === 'depth' ? await builder.grow(plan.root) : await builder.growByLevel(plan)
  const cache = decoder.createCache()
  for (const [layer, rows] of root.rows.entries()) cache.importRows(layer, rows, root.positions)
  const last = root.hidden.slice(-decoder.config.hidden)
  cache.lastHidden = last
  return { cache, logits: await decoder.logits(last), sources: root.sources, scores: root.scores, plan, peakBytes: builder.peakBytes }
}

/**
 * Runs the part of a merge that stands under one node of its plan, and gives what the node comes to.
 *
 * @throws TypeError when the model has layers with a sliding window, or ALiBi
 */
export async function mergeSubtree(
  decoder: Decoder,
  prompt: HomerPrompt,
  plan: HomerPlan,
  node: HomerNode,
  options: HomerOptions,
): Promise<NodeState> {
  refuseDistances(decoder.config)
  return new HomerBuilder(decoder, prompt, plan, options).grow(node)
}

/** What is kept is judged, and merged at positions that are near each other, as if every token of a node saw every one before it alike. */
function refuseDistances({ name, slidingWindow, slidingLayers, alibiBias }: DecoderConfig): void {
  const why =
    alibiBias > 0
      ? 'it weakens scores by distance (ALiBi)'
      : slidingWindow !== undefined && slidingLayers.includes(true)
        ? `some of its layers see ${slidingWindow} tokens only (a sliding window)`
        : undefined
  if (why === undefined) return
  throw new TypeError(`Cannot merge contexts with the model ${name} as ${why}. Use a model whose layers see all tokens by rotary embedding`)
}

class HomerBuilder {
  readonly #decoder: Decoder
  readonly #prompt: HomerPrompt
  readonly #plan: HomerPlan
  readonly #options: HomerOptions
  readonly #total: number
  #waiting = 0
  #done = 0
  peakBytes = 0

  constructor(decoder: Decoder, prompt: HomerPrompt, plan: HomerPlan, options: HomerOptions) {
    this.#decoder = decoder
    this.#prompt = prompt
    this.#plan = plan
    this.#options = options
    this.#total = 2 * plan.leaves - 1
  }

  /** Depth first: the left subtree is finished and pruned before the right one begins. */
  async grow(node: HomerNode): Promise<NodeState> {
    const { nodes } = this.#options
    const known = await nodes?.find(node)
    if (known !== undefined) return known
    const state = await this.#process(node, await this.#start(node))
    await nodes?.keep(node, state)
    return state
  }

  /** What a node begins with: its tokens, or its children merged. */
  async #start(node: HomerNode): Promise<NodeState> {
    const [left, right] = node.children
    if (left === undefined || right === undefined) return this.#leaf(node)
    const first = await this.grow(left)
    this.#waiting += bytesOf(first)
    const second = await this.grow(right)
    this.#waiting -= bytesOf(first)
    return mergeNodes(first, second, this.#plan.lengths)
  }

  /** Level by level: more memory, and all nodes of a level are there at one time. */
  async growByLevel({ root }: HomerPlan): Promise<NodeState> {
    const states = new Map<HomerNode, NodeState>()
    for (const node of byLevel(root)) {
      const [left, right] = node.children.map((child) => states.get(child))
      const start = left === undefined || right === undefined ? this.#leaf(node) : mergeNodes(left, right, this.#plan.lengths)
      for (const child of node.children) {
        this.#waiting -= bytesOf(states.get(child) ?? start)
        states.delete(child)
      }
      const state = await this.#process(node, start)
      states.set(node, state)
      this.#waiting += bytesOf(state)
    }
    const last = states.get(root)
    if (last === undefined) throw new RangeError('Cannot merge as the plan has no root')
    return last
  }

  #leaf({ start, end }: HomerNode): NodeState {
    const { prefix, context, suffix } = this.#prompt
    const { suffixPosition } = this.#plan
    const ids = [...prefix, ...context.slice(start, end), ...suffix]
    const inner = prefix.length + end - start
    return {
      hidden: this.#decoder.embed(ids),
      // The suffixes of all leaves share their position ids, also that of a shorter last leaf.
      positions: Int32Array.from(ids, (_, index) => (index < inner ? index : suffixPosition + index - inner)),
      sources: Int32Array.from(ids, (_, index) => (index < prefix.length || index >= inner ? -1 : start + index - prefix.length)),
      scores: new Float32Array(ids.length).fill(-Infinity),
      rows: [],
    }
  }

  /** Runs a node's layers, and prunes it by what its last token looked for in the last of them. */
  async #process(node: HomerNode, state: NodeState): Promise<NodeState> {
    const { from, to, target } = node
    const { signal, significance } = this.#options
    const tokens = tokensOf(state)
    const drop = tokens - target
    let query: Float32Array | undefined
    const observe = { layers: [to - 1], rows: 1, onQueries: ({ queries }: Observation) => (query = queries.slice()) }
    const run: PrefillOptions = { ...(signal === undefined ? {} : { signal }), ...(drop > 0 ? { observe } : {}) }
    using cache = this.#decoder.createCache()
    const hidden = await this.#decoder.runLayers(from, to, state.hidden, state.positions, cache, run)
    const own = Array.from({ length: to - from }, (_, index) => cache.exportRows(from + index))
    const grown = { ...state, hidden, rows: [...state.rows, ...own] }
    this.peakBytes = Math.max(this.peakBytes, this.#waiting + bytesOf(grown))
    const kept = drop > 0 && query !== undefined ? this.#prune(node, grown, query, significance) : grown
    this.#report(node, tokens, kept)
    return kept
  }

  #prune({ to, target }: HomerNode, state: NodeState, query: Float32Array, significance: Significance): NodeState {
    const { config } = this.#decoder
    const { prefix, suffix } = this.#plan.lengths
    const { keys } = state.rows[to - 1] ?? { keys: new Float32Array() }
    const scores = significance({ config, layer: to - 1, query, keys, positions: state.positions, carried: state.scores })
    // What follows attention works token by token, so that pruning after the layer keeps what pruning inside of it would.
    return keepTokens({ ...state, scores }, keptTokens(scores, { prefix, suffix }, target - prefix - suffix))
  }

  #report(node: HomerNode, tokens: number, state: NodeState): void {
    const kept = tokensOf(state)
    this.#options.onNode?.({ node, tokens, kept, bytes: this.#waiting + bytesOf(state), done: ++this.#done, total: this.#total })
  }
}

/** All nodes, children before their parents, the lowest level first, from left to right. */
function byLevel(root: HomerNode): HomerNode[] {
  const levels: HomerNode[][] = []
  for (let level = [root]; level.length > 0; level = level.flatMap(({ children }) => children)) levels.unshift(level)
  return levels.flat()
}
