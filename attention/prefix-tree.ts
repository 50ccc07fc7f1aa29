/**
 * Caches of token sequences in a radix tree: sequences that begin alike share the way from the root. Only leaves hold a cache, as a start of it is
 * the cache of every node on its way; what was used least lately goes first when the tree holds too much.
 */
import type { KVCache } from './decoder.ts'

/** The longest known start of a sequence. */
export interface PrefixMatch {
  /** Holds the start's tokens, and maybe more after them. It belongs to the tree: fork it. */
  readonly cache: KVCache
  /** Tokens of the start. */
  readonly length: number
  /** Hidden row of the start's last token after the last layer, where it is known. */
  readonly lastHidden: Float32Array | undefined
}

interface TreeNode {
  /** Tokens on the way from the parent. */
  ids: readonly number[]
  parent: TreeNode | undefined
  readonly children: Map<number, TreeNode>
  cache: KVCache | undefined
  lastHidden: Float32Array | undefined
  used: number
}

export class PrefixTree {
  readonly #root: TreeNode = newNode([], undefined)
  readonly #leaves = new Set<TreeNode>()
  #time = 0

  /** Caches held. */
  get size(): number {
    return this.#leaves.size
  }

  caches(): KVCache[] {
    return [...this.#leaves].flatMap(({ cache }) => (cache === undefined ? [] : [cache]))
  }

  /** The longest start of `ids` that some sequence of the tree begins with; undefined when none begins with the first token. */
  find(ids: readonly number[]): PrefixMatch | undefined {
    const { node, inEdge, length } = this.#walk(ids)
    if (length === 0) return undefined
    const leaf = latestLeaf(node)
    if (leaf.cache === undefined) return undefined
    leaf.used = ++this.#time
    return { cache: leaf.cache, length, lastHidden: inEdge === node.ids.length ? node.lastHidden : undefined }
  }

  /** Keeps `cache`, whose tokens are `ids`, and owns it from then on. Caches of starts of `ids` go, as this one serves for them. */
  insert(ids: readonly number[], cache: KVCache): void {
    const lastHidden = cache.lastHidden?.slice()
    const node = this.#nodeAt(ids)
    node.lastHidden = lastHidden ?? node.lastHidden
    if (node.children.size > 0 || node.cache !== undefined) cache.dispose()
    else {
      node.cache = cache
      this.#leaves.add(node)
    }
    latestLeaf(node).used = ++this.#time
    for (let above = node.parent; above !== undefined; above = above.parent) this.#dropCache(above)
  }

  /** Forgets the sequence that was used least lately; false when there is none. */
  evict(): boolean {
    let oldest: TreeNode | undefined
    for (const leaf of this.#leaves) if (oldest === undefined || leaf.used < oldest.used) oldest = leaf
    if (oldest === undefined) return false
    this.#dropCache(oldest)
    let node: TreeNode | undefined = oldest
    while (node?.parent !== undefined && node.children.size === 0 && node.cache === undefined) {
      node.parent.children.delete(node.ids[0] ?? -1)
      node = node.parent
    }
    return true
  }

  dispose(): void {
    for (const leaf of this.#leaves) leaf.cache?.dispose()
    this.#leaves.clear()
    this.#root.children.clear()
  }

  #dropCache(node: TreeNode): void {
    node.cache?.dispose()
    node.cache = undefined
    this.#leaves.delete(node)
  }

  /** Follows `ids` as far as they are known: to token `inEdge` of the way to `node`. */
  #walk(ids: readonly number[]): { readonly node: TreeNode; readonly inEdge: number; readonly length: number } {
    let node = this.#root
    let length = 0
    for (;;) {
      const child = node.children.get(ids[length] ?? -1)
      if (child === undefined) return { node, inEdge: node.ids.length, length }
      let inEdge = 0
      while (inEdge < child.ids.length && length + inEdge < ids.length && child.ids[inEdge] === ids[length + inEdge]) inEdge++
      length += inEdge
      node = child
      if (inEdge < child.ids.length) return { node, inEdge, length }
    }
  }

  /** The node where `ids` end, made where there is none. */
  #nodeAt(ids: readonly number[]): TreeNode {
    const { node, inEdge, length } = this.#walk(ids)
    const end = inEdge < node.ids.length ? split(node, inEdge) : node
    if (length === ids.length) return end
    const leaf = newNode(ids.slice(length), end)
    end.children.set(ids[length] ?? -1, leaf)
    return leaf
  }
}

function newNode(ids: readonly number[], parent: TreeNode | undefined): TreeNode {
  return { ids, parent, children: new Map(), cache: undefined, lastHidden: undefined, used: 0 }
}

/** Puts a node in the way to `node`, after its first `length` tokens. */
function split(node: TreeNode, length: number): TreeNode {
  const middle = newNode(node.ids.slice(0, length), node.parent)
  node.parent?.children.set(node.ids[0] ?? -1, middle)
  middle.children.set(node.ids[length] ?? -1, node)
  node.ids = node.ids.slice(length)
  node.parent = middle
  return middle
}

/** The leaf below that was used last: it stays longest. */
function latestLeaf(node: TreeNode): TreeNode {
  let latest: TreeNode | undefined
  const open = [node]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.cache !== undefined && (latest === undefined || next.used > latest.used)) latest = next
    open.push(...next.children.values())
  }
  return latest ?? node
}
