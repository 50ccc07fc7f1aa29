import type { Language, Node, Tree } from 'web-tree-sitter'
import { treeSitter } from './grammars.ts'

/** Longest text that is parsed, in UTF-16 code units: a tree takes many times the text in memory. What is longer was mostly not written by hand. */
const LONGEST = 4_000_000
/** Steps that a parse may take for a text, in hundreds: many times what source code takes, so that a hostile text ends soon. */
const STEPS_A_UNIT = 0.05
const LEAST_STEPS = 100_000
/** Milliseconds after which a parse ends that the bound on steps lets go on: some texts make each step slow. */
const LEAST_TIME = 20_000
const TIME_A_UNIT = 0.02
/** Where more than this share of a text stands outside of all that was understood, the tree says nothing. */
const MOST_ERRORS = 0.3

/**
 * Parses a text and hands its tree to `use`; the memory of the tree is free again when this returns. It is bounded by steps, so that a text gives the same
 * result every time, and for texts that are made to be slow also by time: 20 s and 20 s a million characters. A parse occupies the thread: about
 * half a second a million characters.
 *
 * @param now milliseconds of a clock
 * @returns undefined where the text is too long, takes too many steps, or is mostly not of the language
 */
export async function parseCode<T>(text: string, language: Language, now: () => number, use: (root: Node) => T): Promise<T | undefined> {
  if (text.length > LONGEST) return undefined
  const { Parser } = await treeSitter()
  const parser = new Parser()
  let tree: Tree | null = null
  try {
    parser.setLanguage(language)
    let steps = LEAST_STEPS + STEPS_A_UNIT * text.length
    const end = now() + LEAST_TIME + TIME_A_UNIT * text.length
    tree = parser.parse(text, null, { progressCallback: () => --steps < 0 || now() > end })
    return tree && errorLength(tree.rootNode) <= MOST_ERRORS * text.length ? use(tree.rootNode) : undefined
  } finally {
    tree?.delete()
    parser.delete()
  }
}

/** Characters in nodes that are errors, less those of nodes inside of them that were understood. */
function errorLength(root: Node): number {
  let length = root.isError ? root.endIndex - root.startIndex : 0
  const nodes = root.hasError ? [root] : []
  for (let node = nodes.pop(); node; node = nodes.pop()) {
    const inError = node.isError
    for (const child of node.namedChildren) {
      const isError = child.isError
      if (isError && !inError) length += child.endIndex - child.startIndex
      if (!isError && inError && child.namedChildCount > 0) length -= child.endIndex - child.startIndex
      if (child.hasError) nodes.push(child)
    }
  }
  return length
}
