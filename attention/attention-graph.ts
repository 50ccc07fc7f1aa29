/**
 * Graphs of causal grouped-query attention over a cache in blocks. They hold no weights. S new tokens attend to the past
 * and to themselves. Query heads that share a key/value head are stacked as rows: q [S, H d] -> [Hkv, g S, d], g = H / Hkv.
 *
 * Inputs: q [S, H d]; k, v [S, Hkv d]; `mask`, added to scores; and the past, as closed blocks k0, v0, k1, ... [Hkv, 1, block, d] and
 * the tail kt, vt [Hkv, 1, C, d], or as a slab pk, pv [Hkv, P, d]. Output: a [S, H d].
 */
import type { DecoderConfig } from './decoder.ts'
import { alibiSlopes } from './distance-masks.ts'
import { contributed } from './linear-nodes.ts'
import { GraphBuilder } from './onnx-model.ts'

/** For few tokens: blocks are read where they lie, and `mask` is [1, 1, g S, C + S] over the tail's capacity and the new tokens. */
export interface RowsShape {
  readonly form: 'rows'
  /** Closed blocks given. */
  readonly blocks: number
  /** Whether a tail block is given. */
  readonly tail: boolean
}

/**
 * For one token whose own key and value are in the cache already: each query head is multiplied by itself, as products of a single row need no
 * packing of the keys, which costs more than reading them for each query head anew. `mask` is [1, 1, 1, C] over the tail's capacity.
 */
export interface TokenShape {
  readonly form: 'token'
  /** Closed blocks given. */
  readonly blocks: number
  /** Whether a tail block is given. */
  readonly tail: boolean
}

/** For many tokens: the past is one slab, of which every row is seen if it is not `masked`, and `mask` is [1, 1, S, S] over the new tokens. */
export interface SlabShape {
  readonly form: 'slab'
  /** Whether there is a past. */
  readonly past: boolean
  /** Whether keys of the past are masked too, by `pastMask` [1, 1, S, P]. */
  readonly masked?: boolean
  /** Parts into which the queries are cut, so that the scores of one part stay small. All but the last are of equal size. */
  readonly parts: number
}

export type AttentionShape = RowsShape | TokenShape | SlabShape

export function buildAttentionGraph(config: DecoderConfig, shape: AttentionShape): GraphBuilder {
  const graph = new GraphBuilder(`attention-${shape.form}`)
  const { heads, kvHeads, headDim } = config
  const q = graph.input('q', 'float32', ['S', heads * headDim])
  if (shape.form === 'token') {
    addToken(graph, config, shape, q)
    graph.output('a', 'float32', [1, heads * headDim])
    return graph
  }
  const k = addHeads(graph, graph.input('k', 'float32', ['S', kvHeads * headDim]), config)
  const v = addHeads(graph, graph.input('v', 'float32', ['S', kvHeads * headDim]), config)
  const queries = addQueryHeads(graph, q, config)
  const attended =
    shape.form === 'rows' ? addRows(graph, config, shape, { queries, k, v }) : addSlab(graph, config, shape, { queries, k, v })
  addMergedHeads(graph, attended, config)
  graph.output('a', 'float32', ['S', heads * headDim])
  return graph
}

interface Values {
  readonly queries: string
  readonly k: string
  readonly v: string
}

function addRows(graph: GraphBuilder, config: DecoderConfig, shape: RowsShape, { queries, k, v }: Values): string {
  const closed = { keys: blockInputs(graph, config, 'k', shape.blocks), values: blockInputs(graph, config, 'v', shape.blocks) }
  const beside = (part: string, tail: string): string[] => {
    const own = graph.node('Unsqueeze', [part, graph.integers([1])])
    return shape.tail ? [tailInput(graph, config, tail), own] : [own]
  }
  const open = { keys: beside(k, 'kt'), values: beside(v, 'vt'), mask: graph.input('mask', 'float32', [1, 1, 'R', 'M']) }
  const stacked = graph.node('Unsqueeze', [addStacked(graph, queries, config), graph.integers([1])])
  const scale = 1 / Math.sqrt(config.headDim)
  return addBlocks(graph, stacked, { closed, open, scale })
}

function addToken(graph: GraphBuilder, config: DecoderConfig, shape: TokenShape, q: string): void {
  const { heads, kvHeads, headDim } = config
  const closed = { keys: blockInputs(graph, config, 'k', shape.blocks), values: blockInputs(graph, config, 'v', shape.blocks) }
  const tail = (name: string): string[] => [tailInput(graph, config, name)]
  const open = shape.tail ? { keys: tail('kt'), values: tail('vt'), mask: graph.input('mask', 'float32', [1, 1, 1, 'C']) } : undefined
  // Products of one row are fast only when they are not scaled.
  const scaled = graph.node('Mul', [q, graph.constant({ type: 'float32', dims: [], data: Float32Array.of(1 / Math.sqrt(headDim)) })])
  const queries = graph.node('Reshape', [scaled, graph.integers([kvHeads, heads / kvHeads, 1, headDim])])
  const attended = addBlocks(graph, queries, { closed, open, scale: 1 })
  graph.node('Reshape', [attended, graph.integers([1, heads * headDim])], { outputs: ['a'] })
}

interface Blocks {
  readonly closed: { readonly keys: readonly string[]; readonly values: readonly string[] }
  /** Blocks that are masked. */
  readonly open: { readonly keys: readonly string[]; readonly values: readonly string[]; readonly mask: string } | undefined
  readonly scale: number
}

/** Attention of queries [Hkv, .., R, d] over keys and values in blocks [Hkv, 1, .., d]. */
function addBlocks(graph: GraphBuilder, queries: string, { closed, open, scale }: Blocks): string {
  const scores = closed.keys.map((key) => addScores(graph, queries, key, scale))
  if (open !== undefined) {
    const seen = open.keys.map((key) => addScores(graph, queries, key, scale))
    scores.push(graph.node('Add', [addConcat(graph, seen, 3), open.mask]))
  }
  const weights = graph.node('Softmax', [addConcat(graph, scores, 3)], { attributes: { axis: -1 } })
  const values = [...closed.values, ...(open?.values ?? [])]
  const parts = addSplit(graph, weights, [...closed.keys, ...(open?.keys ?? [])])
  return addSum(
    graph,
    values.map((value, index) => graph.node('MatMul', [parts[index] ?? weights, value])),
  )
}

/** Cuts weights [.., T] into those of each of `keys`. */
function addSplit(graph: GraphBuilder, weights: string, keys: readonly string[]): string[] {
  if (keys.length === 1) return [weights]
  const outputs = keys.map((_, index) => `weights${index}`)
  const lengths = keys.map((key) => lengthOf(graph, key, 2))
  graph.node('Split', [weights, graph.node('Concat', lengths, { attributes: { axis: 0 } })], { outputs, attributes: { axis: 3 } })
  return outputs
}

function addSum(graph: GraphBuilder, parts: readonly string[]): string {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : graph.node('Sum', parts)
}

function addSlab(graph: GraphBuilder, config: DecoderConfig, shape: SlabShape, { queries, k, v }: Values): string {
  const past = (name: string): string[] => (shape.past ? [graph.input(name, 'float32', [config.kvHeads, 'P', config.headDim])] : [])
  const keys = past('pk')
  const values = addConcat(graph, [...past('pv'), v], 1)
  const mask = graph.input('mask', 'float32', [1, 1, 'S', 'S'])
  const queryParts = addParts(graph, queries, shape.parts)
  const maskParts = addParts(graph, mask, shape.parts)
  const pastMask = shape.past && shape.masked === true ? graph.input('pastMask', 'float32', [1, 1, 'S', 'P']) : undefined
  const pastParts = pastMask === undefined ? [] : addParts(graph, pastMask, shape.parts)
  const scale = 1 / Math.sqrt(config.headDim)
  let later = graph.node('Sub', [graph.integers([0]), lengthOf(graph, k, 1)])
  const attended = queryParts.map((query, index) => {
    // Keys that come after all queries of a part are not even multiplied: `later` counts them, below zero, from the end.
    later = graph.node('Add', [later, graph.node('Shape', [query], { attributes: { start: 2, end: 3 } })])
    const cut = (value: string, axis: number): string => (index === queryParts.length - 1 ? value : addStart(graph, value, later, axis))
    const stacked = addStacked(graph, query, config)
    const own = addMasked(graph, addScores(graph, stacked, cut(k, 1), scale), cut(maskParts[index] ?? mask, 3), query, config)
    const seen = keys.map((key) => addMasked(graph, addScores(graph, stacked, key, scale), pastParts[index], query, config))
    const scores = [...seen, own]
    const weights = graph.node('Softmax', [addConcat(graph, scores, 2)], { attributes: { axis: -1 } })
    return graph.node('Reshape', [graph.node('MatMul', [weights, cut(values, 1)]), graph.node('Shape', [query])])
  })
  return addConcat(graph, attended, 2)
}

/** The values of `axis` before index `end`, which may be negative. */
function addStart(graph: GraphBuilder, value: string, end: string, axis: number): string {
  return graph.node('Slice', [value, graph.integers([0]), end, graph.integers([axis])])
}

/** Cuts [.., .., S, ..] along S. */
function addParts(graph: GraphBuilder, value: string, parts: number): string[] {
  if (parts === 1) return [value]
  const outputs = Array.from({ length: parts }, (_, index) => `${value}_part${index}`)
  graph.node('Split', [value], { outputs, attributes: { axis: 2, num_outputs: parts } })
  return outputs
}

/** Adds a mask [1, 1, S, T], times the slope of each head with ALiBi, to scores [Hkv, g S, T] whose queries are [Hkv, g, S, d]. */
function addMasked(graph: GraphBuilder, scores: string, mask: string | undefined, queries: string, config: DecoderConfig): string {
  if (mask === undefined) return scores
  const rows = graph.node('Shape', [queries], { attributes: { start: 0, end: 3 } })
  const split = graph.node('Reshape', [scores, graph.node('Concat', [rows, graph.integers([-1])], { attributes: { axis: 0 } })])
  return graph.node('Reshape', [graph.node('Add', [split, addSloped(graph, mask, config)]), graph.node('Shape', [scores])])
}

function addSloped(graph: GraphBuilder, mask: string, { heads, kvHeads, alibiBias }: DecoderConfig): string {
  if (alibiBias === 0) return mask
  const slopes = { type: 'float32', dims: [kvHeads, heads / kvHeads, 1, 1], data: alibiSlopes(heads, alibiBias) } as const
  return graph.node('Mul', [mask, graph.constant(slopes)])
}

function blockInputs(graph: GraphBuilder, config: DecoderConfig, name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => graph.input(`${name}${index}`, 'float32', [config.kvHeads, 1, 'B', config.headDim]))
}

function tailInput(graph: GraphBuilder, config: DecoderConfig, name: string): string {
  return graph.input(name, 'float32', [config.kvHeads, 1, 'C', config.headDim])
}

/** Scaled dot products: [.., R, d] x [.., T, d] -> [.., R, T]. */
function addScores(graph: GraphBuilder, queries: string, keys: string, scale: number): string {
  return graph.node('FusedMatMul', [queries, keys], { domain: contributed, attributes: { transB: 1, alpha: { float: scale } } })
}

/** Length of the keys, which lie along `axis`. */
function lengthOf(graph: GraphBuilder, keys: string, axis: number): string {
  return graph.node('Shape', [keys], { attributes: { start: axis, end: axis + 1 } })
}

function addConcat(graph: GraphBuilder, parts: readonly string[], axis: number): string {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : graph.node('Concat', parts, { attributes: { axis } })
}

/** [S, Hkv d] -> [Hkv, S, d]. */
function addHeads(graph: GraphBuilder, rows: string, { kvHeads, headDim }: DecoderConfig): string {
  const split = graph.node('Reshape', [rows, graph.integers([-1, kvHeads, headDim])])
  return graph.node('Transpose', [split], { attributes: { perm: [1, 0, 2] } })
}

/** [S, H d] -> [Hkv, g, S, d]. */
function addQueryHeads(graph: GraphBuilder, q: string, { heads, kvHeads, headDim }: DecoderConfig): string {
  const split = graph.node('Reshape', [q, graph.integers([-1, kvHeads, heads / kvHeads, headDim])])
  return graph.node('Transpose', [split], { attributes: { perm: [1, 2, 0, 3] } })
}

/** [Hkv, g, S, d] -> [Hkv, g S, d]. */
function addStacked(graph: GraphBuilder, queries: string, { kvHeads, headDim }: DecoderConfig): string {
  return graph.node('Reshape', [queries, graph.integers([kvHeads, -1, headDim])])
}

/** [Hkv, g S, d] or [Hkv, g, S, d] -> a [S, H d]. */
function addMergedHeads(graph: GraphBuilder, attended: string, { heads, headDim }: DecoderConfig): void {
  const split = graph.node('Reshape', [attended, graph.integers([heads, -1, headDim])])
  const turned = graph.node('Transpose', [split], { attributes: { perm: [1, 0, 2] } })
  graph.node('Reshape', [turned, graph.integers([-1, heads * headDim])], { outputs: ['a'] })
}
