import type { HomerNode } from '../attention/index.ts'

/** All nodes of a plan as they run depth first: children before their parent, from left to right, the root last. */
export function nodesInOrder(root: HomerNode): HomerNode[] {
  return [...root.children.flatMap(nodesInOrder), root]
}
