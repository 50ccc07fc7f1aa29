/** Grammars over bytes: rules that call each other, of literals, automata, sequences, choices and repetitions. */
import type { ByteTable } from './byte-table.ts'

export type GrammarNode =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'table'; readonly table: ByteTable }
  | { readonly kind: 'sequence'; readonly items: readonly GrammarNode[] }
  | { readonly kind: 'choice'; readonly options: readonly GrammarNode[] }
  /** `max` may be Infinity. An item is never empty. */
  | { readonly kind: 'repeat'; readonly item: GrammarNode; readonly min: number; readonly max: number }
  | Reference

/** A rule that is used before it is known, so that it can call itself. */
export interface Reference {
  readonly kind: 'reference'
  target: GrammarNode
}

const utf8 = new TextEncoder()

export const never: GrammarNode = { kind: 'choice', options: [] }
export const empty: GrammarNode = { kind: 'sequence', items: [] }

/** Exactly `text`. */
export function literal(text: string): GrammarNode {
  return { kind: 'bytes', bytes: utf8.encode(text) }
}

export function sequence(...items: GrammarNode[]): GrammarNode {
  return { kind: 'sequence', items }
}

export function choice(...options: GrammarNode[]): GrammarNode {
  const [only] = options
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options }
}

export function repeat(item: GrammarNode, min: number, max: number): GrammarNode {
  if (max < min) return never
  return max === 0 ? empty : { kind: 'repeat', item, min, max }
}

export function tableNode(table: ByteTable): GrammarNode {
  return { kind: 'table', table }
}

/** The fewest bytes of each node that `root` reaches; Infinity where nothing can be written. */
export function leastBytes(root: GrammarNode, usable: Uint8Array): ReadonlyMap<GrammarNode, number> {
  const nodes = reachable(root)
  const costs = new Map<GrammarNode, number>(nodes.map((node) => [node, Infinity]))
  const costOf = (node: GrammarNode): number => costs.get(node) ?? Infinity
  for (let changed = true; changed;) {
    changed = false
    for (const node of nodes) {
      const cost = leastOf(node, costOf, usable)
      if (cost >= costOf(node)) continue
      costs.set(node, cost)
      changed = true
    }
  }
  return costs
}

function leastOf(node: GrammarNode, costOf: (node: GrammarNode) => number, usable: Uint8Array): number {
  switch (node.kind) {
    case 'bytes':
      return node.bytes.every((byte) => usable[byte] === 1) ? node.bytes.length : Infinity
    case 'table':
      return node.table.costs[0] ?? Infinity
    case 'sequence':
      return node.items.reduce((sum, item) => sum + costOf(item), 0)
    case 'choice':
      return node.options.reduce((least, option) => Math.min(least, costOf(option)), Infinity)
    case 'repeat':
      return node.min === 0 ? 0 : node.min * costOf(node.item)
    case 'reference':
      return costOf(node.target)
  }
}

/** All nodes, those that are called before those that call them, as far as that can be. */
function reachable(root: GrammarNode): GrammarNode[] {
  const seen = new Set<GrammarNode>([root])
  const found: GrammarNode[] = []
  const open: [node: GrammarNode, entered: boolean][] = [[root, false]]
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    const [node, entered] = top
    if (entered) {
      found.push(node)
      continue
    }
    open.push([node, true])
    for (const part of partsOf(node)) {
      if (seen.has(part)) continue
      seen.add(part)
      open.push([part, false])
    }
  }
  return found
}

function partsOf(node: GrammarNode): readonly GrammarNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.items
    case 'choice':
      return node.options
    case 'repeat':
      return [node.item]
    case 'reference':
      return [node.target]
    default:
      return []
  }
}
