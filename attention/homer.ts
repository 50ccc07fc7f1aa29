/**
 * Hierarchical context merging (HOMER, Song et al., ICLR 2024, arXiv 2404.10308, section 3): a text of any length becomes a cache of one window. Leaves
 * that share prefix and suffix run the lower layers, are pruned and merged pair by pair up a binary tree, and the root runs the last layers. Memory
 * grows with the logarithm of the length, as one finished sibling a level waits at most.
 */
import type { Decoder, DecoderConfig, KVCache } from './decoder.ts'
import { bytesOf, keepTokens, mergeNodes, type NodeState, type SuffixRule, tokensOf } from './homer-node.ts'
import { firstLeaf, type HomerNode, type HomerPlan, planHomer } from './homer-plan.ts'
import { type HomerPrompt, leafState, runNode } from './homer-run.ts'
import { keptTokens, type Significance } from './significance.ts'

/** Where finished nodes are kept, so that a merge that was stopped is gone on with where it was. */
export interface HomerNodes {
  /** The state of a node as `save` was given it; what lies below it is then not run. */
  load(node: HomerNode): Promise<NodeState | undefined>
  /** Told of each node that was run. The states of its children are not asked for any more. */
  save(node: HomerNode, state: NodeState): Promise<void>
}

export interface HomerOptions {
  /** Most tokens of a node, with prefix and suffix; 1,024 by default. */
  readonly maxChunk?: number
  /** Most tokens of the finished cache; `maxChunk` by default. */
  readonly target?: number
  /** Layers before anything is pruned; by default as many as leave each merge one layer. The paper's are three eighths of all. */
  readonly warmUp?: number
  /** What is kept. */
  readonly significance: Significance
  /** What becomes of the suffixes of two nodes that are merged; their mean by default, as in the paper. */
  readonly suffix?: SuffixRule
  /** `depth`, the default, keeps memory low; `level` finishes each level before the next. Both give the same. */
  readonly order?: 'depth' | 'level'
  /** Whether layers run in the arithmetic of long reads; by default by the length of the whole, as in `prefill`. */
  readonly longRead?: boolean
  readonly nodes?: HomerNodes
  readonly signal?: AbortSignal
  /** Told after each node that was run. */
  readonly onNode?: (report: HomerReport) => void
}

/** What became of a node. */
export interface HomerReport {
  readonly node: HomerNode
  /** Tokens before and after it was pruned. */
  readonly tokens: number
  readonly kept: number
  /** Bytes of keys and values held by this node and those that wait. */
  readonly bytes: number
  /** Nodes that are finished, with those below them, of all. */
  readonly done: number
  readonly total: number
}

export interface HomerResult {
  /** At most `target` tokens, the same in all layers, with their sources in the context. `lastHidden` is set. */
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
 * @throws RangeError when the lengths leave a node without context or a level without a layer, or the leaves run none of the layers that the
 * significance looks at
 * @throws TypeError when the model has layers with a sliding window, or ALiBi
 */
export async function homer(decoder: Decoder, prompt: HomerPrompt, options: HomerOptions): Promise<HomerResult> {
  refuseDistances(decoder.config)
  const { layers } = decoder.config
  const { maxChunk = 1_024, order = 'depth', target = maxChunk, warmUp } = options
  const { prefix, context, suffix } = prompt
  const lengths = { prefix: prefix.length, context: context.length, suffix: suffix.length }
  const plan = planHomer({ ...lengths, layers, maxChunk, target, ...(warmUp === undefined ? {} : { warmUp }) })
  refuseBlindLeaves(plan, options.significance)
  const { longRead = decoder.isLongRead(lengths.prefix + lengths.context + lengths.suffix) } = options
  const builder = new HomerBuilder(decoder, prompt, plan, { ...options, longRead })
  const root = order === 'depth' ? await builder.grow(plan.root) : await builder.growByLevel(plan)
  const cache = decoder.createCache()
  for (const [layer, rows] of root.rows.entries()) cache.importRows(layer, rows, root.positions, root.sources)
  const last = root.hidden.slice(-decoder.config.hidden)
  cache.lastHidden = last
  return { cache, logits: await decoder.logits(last), sources: root.sources, scores: root.scores, plan, peakBytes: builder.peakBytes }
}

/**
 * Runs the part of a merge that stands under one node of its plan, and gives what the node comes to. Throws as `homer`.
 */
export async function mergeSubtree(
  decoder: Decoder,
  prompt: HomerPrompt,
  plan: HomerPlan,
  node: HomerNode,
  options: Omit<HomerOptions, 'maxChunk' | 'target' | 'warmUp' | 'order'>,
): Promise<NodeState> {
  refuseDistances(decoder.config)
  refuseBlindLeaves(plan, options.significance)
  const { prefix, context, suffix } = plan.lengths
  const { longRead = decoder.isLongRead(prefix + context + suffix) } = options
  return new HomerBuilder(decoder, prompt, plan, { ...options, longRead }).grow(node)
}

/**
 * Why contexts cannot be merged with a model, if they cannot: what is kept is judged, and merged at positions that are near each other, as if every
 * token of a node saw every one before it alike.
 */
export function mergeObstacle({ slidingWindow, slidingLayers, alibiBias }: DecoderConfig): string | undefined {
  if (alibiBias > 0) return 'it weakens scores by distance (ALiBi)'
  const slides = slidingWindow !== undefined && slidingLayers.includes(true)
  return slides ? `some of its layers see ${slidingWindow} tokens only (a sliding window)` : undefined
}

function refuseDistances(config: DecoderConfig): void {
  const why = mergeObstacle(config)
  if (why === undefined) return
  throw new TypeError(
    `Cannot merge contexts with the model ${config.name} as ${why}. Use a model whose layers see all tokens by rotary embedding`,
  )
}

/** Leaves that no layer looks at would be pruned by nothing. */
function refuseBlindLeaves({ root, leaves }: HomerPlan, significance: Significance): void {
  const { from, to } = firstLeaf(root)
  if (leaves === 1 || significance.layers(from, to).length > 0) return
  throw new RangeError(
    `Cannot merge as the leaves run the layers ${from} to ${to - 1}, and the significance looks at none of them: raise warmUp or maxChunk`,
  )
}

class HomerBuilder {
  readonly #decoder: Decoder
  readonly #prompt: HomerPrompt
  readonly #plan: HomerPlan
  readonly #options: HomerOptions & { readonly longRead: boolean }
  readonly #total: number
  #waiting = 0
  #done = 0
  peakBytes = 0

  constructor(decoder: Decoder, prompt: HomerPrompt, plan: HomerPlan, options: HomerOptions & { readonly longRead: boolean }) {
    this.#decoder = decoder
    this.#prompt = prompt
    this.#plan = plan
    this.#options = options
    this.#total = 2 * plan.leaves - 1
  }

  /** Depth first: the left subtree is finished and pruned before the right one begins. */
  async grow(node: HomerNode): Promise<NodeState> {
    const known = await this.#options.nodes?.load(node)
    if (known !== undefined) return this.#known(node, known)
    const [left, right] = node.children
    const isLeaf = left === undefined || right === undefined
    return this.#process(node, isLeaf ? leafState(this.#decoder, this.#prompt, this.#plan, node) : await this.#grown(left, right))
  }

  /** Both children as one; nothing holds them any longer when their parent runs. */
  async #grown(left: HomerNode, right: HomerNode): Promise<NodeState> {
    const first = await this.grow(left)
    this.#waiting += bytesOf(first)
    const second = await this.grow(right)
    this.#waiting -= bytesOf(first)
    return this.#merge(first, second)
  }

  /** Level by level: more memory, and all nodes of a level are there at one time. */
  async growByLevel({ root }: HomerPlan): Promise<NodeState> {
    const states = new Map<HomerNode, NodeState>()
    const keep = (node: HomerNode, state: NodeState): void => {
      states.set(node, state)
      this.#waiting += bytesOf(state)
    }
    const levels: HomerNode[][] = []
    for (let level: readonly HomerNode[] = [root]; level.length > 0; level = (levels[0] ?? []).flatMap(({ children }) => children)) {
      const missing: HomerNode[] = []
      for (const node of level) {
        const known = await this.#options.nodes?.load(node)
        if (known === undefined) missing.push(node)
        else keep(node, this.#known(node, known))
      }
      levels.unshift(missing)
    }
    for (const node of levels.flat()) {
      const [left, right] = node.children.map((child) => states.get(child))
      for (const state of [left, right]) this.#waiting -= state === undefined ? 0 : bytesOf(state)
      for (const child of node.children) states.delete(child)
      const isLeaf = left === undefined || right === undefined
      const state = isLeaf ? leafState(this.#decoder, this.#prompt, this.#plan, node) : this.#merge(left, right)
      keep(node, await this.#process(node, state))
    }
    const last = states.get(root)
    if (last === undefined) throw new RangeError('Cannot merge as the plan has no root')
    return last
  }

  /** Takes over a node that an earlier run finished. */
  #known({ height }: HomerNode, state: NodeState): NodeState {
    this.#done += 2 ** (height + 1) - 1
    return state
  }

  #merge(left: NodeState, right: NodeState): NodeState {
    return mergeNodes(left, right, this.#plan.lengths, this.#options.suffix)
  }

  /** Runs a node's layers, and prunes it by what its last tokens looked for in them. */
  async #process(node: HomerNode, state: NodeState): Promise<NodeState> {
    const { prefix, suffix } = this.#plan.lengths
    const run = await runNode(this.#decoder, state, node, { ...this.#options, prefix, suffix })
    this.peakBytes = Math.max(this.peakBytes, this.#waiting + bytesOf(run))
    const tokens = tokensOf(run)
    // What follows attention works token by token, so that pruning after the layer keeps what pruning inside of it would.
    const done = tokens > node.target ? keepTokens(run, keptTokens(run.scores, { prefix, suffix }, node.target - prefix - suffix)) : run
    await this.#options.nodes?.save(node, done)
    this.#report(node, tokens, done)
    return done
  }

  #report(node: HomerNode, tokens: number, state: NodeState): void {
    const kept = tokensOf(state)
    this.#options.onNode?.({ node, tokens, kept, bytes: this.#waiting + bytesOf(state), done: ++this.#done, total: this.#total })
  }
}
