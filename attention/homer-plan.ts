/**
 * The shape of a hierarchical merge: leaves, layers and target lengths (HOMER, Song et al., ICLR 2024, arXiv 2404.10308). All of it follows from
 * lengths alone, so that a plan can be shown, priced and refused before anything is run.
 */

/** Lengths in tokens, and the layers of the model. */
export interface HomerLengths {
  readonly prefix: number
  readonly context: number
  readonly suffix: number
  /** Layers of the model. */
  readonly layers: number
  /** Most tokens of a node, with prefix and suffix. */
  readonly maxChunk: number
  /** Most tokens of the finished cache; `maxChunk` by default. */
  readonly target?: number
  /** Layers that run before anything is pruned; by default as many as leave each merge one layer. */
  readonly warmUp?: number
}

/** A node of the tree: a leaf holds a span of the context, any other node two children. */
export interface HomerNode {
  /** 0 for leaves. */
  readonly height: number
  /** Span of the context that it stands for, [start, end). */
  readonly start: number
  readonly end: number
  /** Most tokens that leave it, with prefix and suffix. */
  readonly target: number
  /** Layers that it runs, [from, to). */
  readonly from: number
  readonly to: number
  readonly children: readonly HomerNode[]
}

export interface HomerPlan {
  readonly root: HomerNode
  readonly height: number
  readonly leaves: number
  /** Context tokens of every leaf but the last, which may have fewer. */
  readonly leafContext: number
  readonly lengths: Required<HomerLengths>
  /** Position id of the first token of the suffix. */
  readonly suffixPosition: number
  /** Most keys held at one time by the depth-first order, in tokens times layers. */
  readonly peakTokenLayers: number
}

/**
 * Plans a merge. The context is cut into 2^h leaves of equal length, without overlap; a node of height k runs an equal share of the layers after the
 * warm-up, and the leaves what is left over besides.
 *
 * @throws RangeError when the lengths leave a node without context or a level without a layer; the message has the numbers
 */
export function planHomer(given: HomerLengths): HomerPlan {
  const { prefix, context, suffix, maxChunk, layers } = given
  const height = Math.ceil(Math.log2(Math.ceil(context / (maxChunk - prefix - suffix))))
  // Impossible lengths have no height, and are refused below.
  const latest = Number.isFinite(height) ? Math.max(0, layers - height - 1) : 0
  const lengths = { target: maxChunk, warmUp: latest, ...given }
  checkLengths(lengths)
  const room = maxChunk - prefix - suffix
  const leaves = 2 ** height
  const leafContext = Math.ceil(context / leaves)
  if ((leaves - 1) * leafContext >= context) {
    throw new RangeError(
      `Cannot merge ${context} tokens as the last of ${leaves} leaves of ${leafContext} would be empty: raise maxChunk (${maxChunk})`,
    )
  }
  const share = layerShare(lengths, height)
  const half = prefix + Math.floor(room / 2) + suffix
  const grow = (first: number, count: number, target: number): HomerNode => {
    const level = Math.log2(count)
    const span = { start: first * leafContext, end: Math.min(context, (first + count) * leafContext) }
    const ran = { height: level, ...span, target, ...share(level) }
    if (count === 1) return { ...ran, children: [] }
    const middle = first + count / 2
    const right = rightTarget(level, Math.min(context, (middle + 1) * leafContext) - middle * leafContext + prefix + suffix, half)
    const left = right < half ? maxChunk - (right - prefix - suffix) : half
    return { ...ran, children: [grow(first, count / 2, left), grow(middle, count / 2, right)] }
  }
  const root = grow(0, leaves, Math.min(lengths.target, prefix + context + suffix))
  const suffixPosition = prefix + (leaves === 1 ? context : leafContext)
  return { root, height, leaves, leafContext, lengths, suffixPosition, peakTokenLayers: peakOf(root, lengths) }
}

/** A leaf shorter than half a node is not filled up: its neighbour may leave with more. That can only be the last leaf. */
function rightTarget(level: number, leafLength: number, half: number): number {
  return level === 1 ? Math.min(leafLength, half) : half
}

function checkLengths({ prefix, context, suffix, maxChunk, target, layers, warmUp }: Required<HomerLengths>): void {
  for (const [name, value] of Object.entries({ prefix, context, suffix, maxChunk, target, layers, warmUp })) {
    if (!(Number.isInteger(value) && value >= 0)) throw new RangeError(`Cannot merge as ${name} is not a whole number from 0: ${value}`)
  }
  if (suffix === 0) throw new RangeError('Cannot merge as the suffix has no tokens: its last one says what is kept')
  if (context === 0) throw new RangeError('Cannot merge as the context has no tokens')
  if (prefix + suffix >= maxChunk) {
    throw new RangeError(`Cannot merge as prefix (${prefix}) and suffix (${suffix}) leave a node of ${maxChunk} tokens no room for context`)
  }
  if (target <= prefix + suffix) {
    throw new RangeError(`Cannot merge as prefix (${prefix}) and suffix (${suffix}) leave a target of ${target} tokens no room for context`)
  }
}

/** Which layers a node of each height runs: `[from, to)`. */
function layerShare({ layers, warmUp }: Required<HomerLengths>, height: number): (level: number) => { from: number; to: number } {
  const share = Math.floor((layers - warmUp) / (height + 1))
  if (share < 1) {
    throw new RangeError(
      `Cannot merge as ${height + 1} levels need a layer each after a warm-up of ${warmUp}, and the model has ${layers}: raise maxChunk or lower warmUp`,
    )
  }
  const first = layers - share * height
  return (level) => ({ from: level === 0 ? 0 : first + share * (level - 1), to: first + share * level })
}

/** The exact peak of the depth-first order: one finished left sibling a level, besides the node that runs. */
function peakOf(node: HomerNode, lengths: Required<HomerLengths>): number {
  const { prefix, suffix } = lengths
  const own = tokensIn(node, lengths) * node.to
  const [left, right] = node.children
  if (left === undefined || right === undefined) return own
  const waiting = Math.min(left.target, prefix + suffix + left.end - left.start) * left.to
  return Math.max(own, peakOf(left, lengths), waiting + peakOf(right, lengths))
}

/** Tokens that a node holds before it prunes. */
export function tokensIn({ start, end, children }: HomerNode, { prefix, suffix }: Pick<HomerLengths, 'prefix' | 'suffix'>): number {
  const affixes = prefix + suffix
  if (children.length === 0) return end - start + affixes
  return children.reduce((sum, child) => sum + Math.min(child.target, tokensIn(child, { prefix, suffix })) - affixes, affixes)
}

/** The leaf that the text begins with; all run the same layers. */
export function firstLeaf(root: HomerNode): HomerNode {
  const [child] = root.children
  return child === undefined ? root : firstLeaf(child)
}
