/** The steps of a merge inside of a local model: one for each node below the root, and the reading of what survived. */
import { basename, join } from 'node:path'
import type { Agent, AgentContext, Usage } from '../agents/index.ts'
import type { Document, Span } from '../chunkers/index.ts'
import type { CacheOrigin, HomerTree, HomerTreeNode, SavedNode } from '../models/index.ts'
import { documentSpans, type JoinedText } from './joined-text.ts'
import { type SurvivingPassage, survivingPassages } from './surviving-passages.ts'

export interface NodeInput {
  readonly tree: HomerTree
  readonly node: HomerTreeNode
  /** What the nodes below it came to. */
  readonly saved: readonly SavedNode[]
  /** What its file was computed of. */
  readonly origin: CacheOrigin
}

/** The file that a node was kept in, within the folder; absent where it is held in the worker alone. */
export interface NodeRecord {
  readonly file?: string
  readonly sha256?: string
}

/**
 * Runs one node. What it came to lies in a file of `folder`, and the record names it with its hash; where the file is gone when the node above runs,
 * the node runs again as a part of that.
 */
export function nodeRunner(model: string, folder: string | undefined): Agent<NodeInput, NodeRecord> {
  return {
    name: 'homer-node',
    version: 1,
    identity: JSON.stringify({ model, files: folder !== undefined }),
    key: ({ tree, node }) => tree.keyOf(node),
    async run({ tree, node, saved, origin }, context) {
      const file = folder === undefined ? undefined : join(folder, `${tree.keyOf(node).slice(0, 32)}.cache`)
      const sha256 = await counted(node, context, (signal) =>
        tree.grow(node, { signal, saved, ...origin, ...(file === undefined ? {} : { file }) }),
      )
      return file === undefined || sha256 === undefined ? {} : { file: basename(file), sha256 }
    },
    place: (recorded) => recorded,
    estimate: ({ node }) => usageOf(node),
  }
}

export interface ReadingInput {
  readonly tree: HomerTree
  readonly saved: readonly SavedNode[]
  readonly joined: JoinedText
}

/** What survived. */
export interface SurvivorsRecord {
  /** Best first. */
  readonly passages: readonly SurvivingPassage[]
  /** Tokens kept of each chunk, in the order of the text. */
  readonly kept: readonly number[]
}

/** Runs the root, and completes the tokens that are left to sentences. */
export function survivorReader(model: string): Agent<ReadingInput, SurvivorsRecord> {
  return {
    name: 'homer-reader',
    version: 1,
    identity: JSON.stringify({ model }),
    key: ({ tree, joined }) => [tree.keyOf(rootOf(tree)), joined.parts.map(({ document }) => document.hash)],
    run: ({ tree, saved, joined }, context) =>
      counted(rootOf(tree), context, async (signal) => {
        const { cache, tokens } = await tree.read({ signal, saved })
        await cache.dispose()
        const kept = leavesOf(tree).map(({ from, to }) => tokens.filter(({ index }) => index >= from && index < to).length)
        return { passages: survivingPassages(joined, tokens), kept }
      }),
    place: (recorded) => recorded,
    estimate: ({ tree }) => usageOf(rootOf(tree)),
  }
}

/** The node that stands for the whole text. */
export function rootOf({ nodes }: HomerTree): HomerTreeNode {
  return nodes.at(-1) as HomerTreeNode
}

/** A part of a document that stands in a chunk. */
export interface ChunkSpan extends Span {
  readonly document: Document
  /** Place of the chunk among all. */
  readonly leaf: number
}

/** The chunks of a tree by document: one that reaches over the end of a document counts for both. */
export function chunkSpans(tree: HomerTree, joined: JoinedText): ChunkSpan[] {
  return leavesOf(tree).flatMap((node, leaf) =>
    documentSpans(joined, node).map(({ document, start, end }) => ({ document, start, end, leaf })),
  )
}

/** The nodes that are chunks, in the order of the text. */
export function leavesOf({ nodes }: HomerTree): HomerTreeNode[] {
  return nodes.filter(({ height }) => height === 0)
}

async function counted<T>(node: HomerTreeNode, context: AgentContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return context.compute(async (signal) => ({ value: await work(signal), usage: usageOf(node) }))
}

/** A node runs a part of the layers: its tokens are those that it holds. */
function usageOf({ tokens }: HomerTreeNode): Usage {
  return { calls: 1, inputTokens: tokens, outputTokens: 0, usd: 0 }
}
