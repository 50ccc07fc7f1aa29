/** The near side of a merge: a text laid out as token ids, its nodes, and the calls that run them in the worker. */
import { createHash } from 'node:crypto'
import { checkWindow, type HomerNode, type HomerPlan, mergeObstacle, survivingSpans } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import { encodeStart } from './encode-start.ts'
import type {
  GrowOptions,
  HomerCallOptions,
  HomerFigures,
  HomerReading,
  HomerSettings,
  HomerText,
  HomerTree,
  HomerTreeNode,
  KeptSpan,
  KeptToken,
} from './homer-model.ts'
import { nodesInOrder } from './homer-nodes.ts'
import { mergePolicy } from './homer-policy.ts'
import { planOf } from './homer-trees.ts'
import type { EngineCallOptions } from './local-engine.ts'
import type { LocalModelParts } from './local-model-parts.ts'
import type { HomerCall, MergedText } from './local-protocol.ts'
import type { ModelCaches } from './model-caches.ts'
import { releasePriority } from './shared-engine.ts'
import { tokenSpans } from './token-spans.ts'

/** Tokens of a chunk where nobody says: what a small model reads well, and half of a window at most. */
const CHUNK_TOKENS = 1024

/** Numbers are never given twice in a process. */
let lastTree = 0

export class WorkerTree implements HomerTree {
  readonly nodes: readonly HomerTreeNode[]
  readonly figures: HomerFigures
  readonly #parts: LocalModelParts
  readonly #caches: ModelCaches
  readonly #call: HomerCall
  readonly #plan: HomerPlan
  readonly #planned: readonly HomerNode[]
  /** The place in the text where each token begins, then its end; -1 inside a character. */
  readonly #offsets: Int32Array
  readonly #onDispose: () => void
  #disposed: Promise<void> | undefined

  /** @param onDispose told once when the tree is let go */
  constructor(parts: LocalModelParts, caches: ModelCaches, text: HomerText, settings: HomerSettings, onDispose: () => void) {
    this.#onDispose = onDispose
    this.#parts = parts
    this.#caches = caches
    const { call, offsets, plan } = layOut(parts, caches, text, settings)
    this.#call = call
    this.#offsets = offsets
    this.#plan = plan
    this.#planned = nodesInOrder(plan.root)
    this.nodes = nodesOf(plan, this.#planned, (from, to) => ({ start: this.#startOf(from), end: this.#endOf(to) }))
    this.figures = figuresOf(parts, plan, this.#planned, this.nodes)
  }

  keyOf({ index }: HomerTreeNode): string {
    const { prompt, maxChunk, heads, bias, identity } = this.#call
    const planned = this.#planned[index] as HomerNode
    const { prefix, suffix, context } = prompt
    const text = [prefix, suffix, planned.start, context.slice(planned.start, planned.end)]
    // Long texts run in an arithmetic of their own, so that the length of the whole counts.
    const shape = [planned.height, planned.from, planned.to, planned.target, this.#plan.leafContext, maxChunk, context.length]
    return hashOf([identity.model, identity.rope, heads, bias?.sha256 ?? null, shape, text])
  }

  async grow(node: HomerTreeNode, options: GrowOptions = {}): Promise<string | undefined> {
    options.signal?.throwIfAborted()
    const { file, scope, documentIds } = options
    const origin = { ...(scope !== undefined && { scope }), ...(documentIds && { documentIds }) }
    const call = { ...this.#callOf(options), node: node.index, origin, ...(file === undefined ? {} : { path: file }) }
    return this.#engine.call('growNode', call, this.#engineOptions(options))
  }

  async read(options: HomerCallOptions = {}): Promise<HomerReading> {
    options.signal?.throwIfAborted()
    let merged: MergedText | undefined
    const cache = await this.#caches.keep(this.#engineOptions(options), async (id, own) => {
      merged = await this.#engine.call('mergeText', { ...this.#callOf(options), cache: id }, own)
      return { ...merged, policy: mergePolicy(this.#call) }
    })
    const { sources, scores, peakBytes } = merged as unknown as MergedText
    const tokens = this.#tokensOf(sources, scores)
    return { cache, tokens, spans: this.#spansOf(sources, scores), figures: this.figures, peakBytes }
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#free()
    return this.#disposed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  async #free(): Promise<void> {
    this.#onDispose()
    const { engine } = this.#parts.hold
    // Letting go fails only where the worker ends first, which frees all.
    if (engine.running)
      await engine.call('closeTree', this.#call.tree, { priority: releasePriority, model: this.#parts.id }).catch(() => {})
  }

  /** @throws TypeError when the tree is disposed */
  get #engine(): LocalModelParts['hold']['engine'] {
    if (this.#disposed === undefined) return this.#parts.hold.engine
    throw new TypeError(`Cannot merge as the tree is disposed: a text of ${this.figures.context} tokens. Lay it out again`)
  }

  #callOf({ saved = [] }: HomerCallOptions): HomerCall {
    return { ...this.#call, saved: saved.map(({ node, file, sha256 }) => ({ node, path: file, sha256 })) }
  }

  #engineOptions({ signal, priority, onNode }: HomerCallOptions): EngineCallOptions {
    const tell = (index: number): void => {
      const node = this.nodes[index]
      if (node !== undefined) onNode?.(node)
    }
    return {
      model: this.#parts.id,
      ...(signal && { signal }),
      ...(priority !== undefined && { priority }),
      ...(onNode && { onProgress: tell }),
    }
  }

  #tokensOf(sources: Int32Array, scores: Float32Array): KeptToken[] {
    const tokens = [...sources].map((index, at) => ({ index, score: finite(scores[at] ?? 0) })).filter(({ index }) => index >= 0)
    return tokens.map(({ index, score }) => ({ index, start: this.#startOf(index), end: this.#endOf(index + 1), score }))
  }

  #spansOf(sources: Int32Array, scores: Float32Array): KeptSpan[] {
    return survivingSpans({ sources, scores }).map(({ start: from, end: to, kept, score }) => {
      return { from, to, start: this.#startOf(from), end: this.#endOf(to), kept, score: finite(score) }
    })
  }

  /** Where a token begins; one that begins inside a character takes the whole of it. */
  #startOf(token: number): number {
    let at = token
    while (at > 0 && (this.#offsets[at] ?? 0) < 0) at--
    return this.#offsets[at] ?? 0
  }

  /** Where the tokens before `token` end; one that ends inside a character takes the whole of it. */
  #endOf(token: number): number {
    let at = token
    while (at < this.#offsets.length - 1 && (this.#offsets[at] ?? 0) < 0) at++
    return this.#offsets[at] ?? 0
  }
}

function finite(score: number): number {
  return Number.isFinite(score) ? score : 0
}

function layOut(
  parts: LocalModelParts,
  caches: ModelCaches,
  { prefix = 'Passage:', context, suffix }: HomerText,
  { chunkTokens, keep, warmUp, rule }: HomerSettings,
): { readonly call: HomerCall; readonly plan: HomerPlan; readonly offsets: Int32Array } {
  const { tokenizer, config, spec } = parts
  const why = mergeObstacle(config)
  if (why !== undefined) {
    const message = `Cannot merge a text with ${parts.id} as ${why}. Use a model whose layers see all tokens by rotary embedding`
    throw new ModelFileError(message, { file: spec.path })
  }
  const { ids, offsets } = tokenSpans(tokenizer, context)
  const prompt = { prefix: encodeStart(tokenizer, prefix), context: ids, suffix: tokenizer.encode(suffix) }
  const maxChunk = chunkTokens ?? Math.min(CHUNK_TOKENS, Math.floor(config.window / 2))
  checkWindow('Cannot merge a text', { chunk: maxChunk }, config.window)
  const target = keep ?? maxChunk
  const lengths = { prompt, maxChunk, target, ...(warmUp === undefined ? {} : { warmUp }) }
  const plan = planOf(lengths, config.layers)
  const settled = { maxChunk, target, warmUp: plan.lengths.warmUp, ...ruleOf(parts, rule) }
  const identity = caches.identity(hashOf([prompt, settled]))
  return { call: { decoder: spec, tree: ++lastTree, prompt, ...settled, identity, saved: [] }, plan, offsets }
}

/** Heads that retrieve, or what the logits of all heads are measured against. */
function ruleOf({ id, heads = [], bias }: LocalModelParts, rule: HomerSettings['rule']): Pick<HomerCall, 'heads' | 'bias'> {
  if (rule === 'heads' && heads.length === 0)
    throw new TypeError(
      `Cannot merge by the heads that retrieve as ${id} has no head profile. Make one with: scriptorium models profile FILE`,
    )
  if (rule !== 'calibrated' && heads.length > 0) return { heads }
  return { heads: [], ...(bias && { bias }) }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function nodesOf(
  plan: HomerPlan,
  planned: readonly HomerNode[],
  place: (from: number, to: number) => Pick<HomerTreeNode, 'start' | 'end'>,
): HomerTreeNode[] {
  const { prefix, suffix } = plan.lengths
  const nodes: HomerTreeNode[] = []
  for (const [index, { height, start: from, end: to, target, children }] of planned.entries()) {
    const parts = children.map((child) => planned.indexOf(child))
    const affixes = prefix + suffix
    const held = parts.reduce((sum, child) => sum + (nodes[child]?.kept ?? 0) - affixes, 0)
    const tokens = affixes + (children.length === 0 ? to - from : held)
    nodes.push({ index, height, from, to, ...place(from, to), tokens, kept: Math.min(tokens, target), children: parts })
  }
  return nodes
}

function figuresOf(
  { config }: LocalModelParts,
  { leaves, height, lengths, peakTokenLayers }: HomerPlan,
  planned: readonly HomerNode[],
  nodes: readonly HomerTreeNode[],
): HomerFigures {
  const { prefix, context, suffix, layers } = lengths
  const affixes = prefix + suffix
  const work = planned.reduce((sum, { from, to }, index) => sum + (to - from) * (nodes[index]?.tokens ?? 0), 0)
  return {
    context,
    affixes,
    leaves,
    height,
    tokens: nodes.reduce((sum, node) => sum + node.tokens, 0),
    layerShare: work / ((context + affixes) * layers),
    peakBytes: peakTokenLayers * 2 * config.kvHeads * config.headDim * Float32Array.BYTES_PER_ELEMENT,
  }
}
