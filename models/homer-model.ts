/** What reads a text longer than its window by hierarchical merging (HOMER, Song et al., ICLR 2024, arXiv 2404.10308). */
import type { CacheHandle } from './cache-handle.ts'
import type { LikelihoodOptions } from './likelihood-model.ts'
import type { CacheOrigin } from './local-protocol.ts'

/** A text to be merged, and what stands before and after each of its chunks. Each is tokenised on its own, as the model's plain text. */
export interface HomerText {
  /** What the text is; `Passage:` by default. */
  readonly prefix?: string
  readonly context: string
  /** The question: its last token decides what is kept. */
  readonly suffix: string
}

export interface HomerSettings {
  /** Most tokens of the finished cache, with prefix and suffix; `chunkTokens` by default. */
  readonly keep?: number
  /** Most tokens that are read together, with prefix and suffix; 1,024, or half of a shorter window, by default. */
  readonly chunkTokens?: number
  /** Layers before anything is dropped; by default as many as leave each merge one layer. */
  readonly warmUp?: number
  /**
   * What says how much a token matters: `heads`, the logits of the heads that retrieve in all layers that a node ran, the default of a model with a
   * head profile; `calibrated`, the paper's, the highest logit in the node's last layer less what is usual at its distance, by the calibration that
   * lies beside the model, if one does. Both give a token the best score among its nine neighbours.
   */
  readonly rule?: 'heads' | 'calibrated'
}

/** One node of a merge: a chunk of the text, or two nodes put together. */
export interface HomerTreeNode {
  /** Place among all nodes: children come before their parent, from left to right, the root last. */
  readonly index: number
  /** 0 for chunks. */
  readonly height: number
  /** Tokens of the text that it stands for, [from, to). */
  readonly from: number
  readonly to: number
  /** The same in UTF-16 code units, [start, end). */
  readonly start: number
  readonly end: number
  /** Tokens that it runs, and how many of them stay; prefix and suffix included. */
  readonly tokens: number
  readonly kept: number
  /** Places of the nodes that it is made of; none for chunks. */
  readonly children: readonly number[]
}

/** What a merge takes, known before it runs. */
export interface HomerFigures {
  /** Tokens of the text, and of what stands before and after each chunk. */
  readonly context: number
  readonly affixes: number
  readonly leaves: number
  readonly height: number
  /** Tokens that all nodes run together; nodes run a part of the layers each, so that the model reads fewer. */
  readonly tokens: number
  /** Tokens times layers of all nodes, as a share of those of reading the text in one piece. */
  readonly layerShare: number
  /** Most bytes of keys and values at one time, where nodes run one after the other and children are let go. */
  readonly peakBytes: number
}

/** What a node came to, in a file. */
export interface SavedNode {
  readonly node: number
  readonly file: string
  /** Hexadecimal: a file with other content is passed over. */
  readonly sha256: string
}

export interface HomerCallOptions extends LikelihoodOptions {
  /** Nodes that were kept in files: they do not run again. One whose file is gone or damaged does. */
  readonly saved?: readonly SavedNode[]
  /** Told of each node that ran. */
  readonly onNode?: (node: HomerTreeNode) => void
}

/** `scope` and `documentIds` are written into the file: what it was computed of, for an erasure. */
export interface GrowOptions extends HomerCallOptions, CacheOrigin {
  /** Where to keep what the node comes to; by default it is held in the worker alone. */
  readonly file?: string
}

/** A token of the text that is in the finished cache. */
export interface KeptToken {
  /** Place among the tokens of the text. */
  readonly index: number
  /** UTF-16 code units of the text, [start, end). */
  readonly start: number
  readonly end: number
  /** Higher matters more; 0 where it has none. */
  readonly score: number
}

/** A part of the text in which tokens were kept, with at most 8 in a row that were not. */
export interface KeptSpan {
  /** Tokens of the text, [from, to). */
  readonly from: number
  readonly to: number
  /** The same in UTF-16 code units, [start, end). */
  readonly start: number
  readonly end: number
  /** How many of its tokens were kept. */
  readonly kept: number
  /** The best of its tokens. */
  readonly score: number
}

/** A text that was merged. */
export interface HomerReading {
  /** At most `keep` tokens that stand for the whole text. Whoever asked for the reading disposes of it. */
  readonly cache: CacheHandle
  /** In the order of the text. */
  readonly tokens: readonly KeptToken[]
  readonly spans: readonly KeptSpan[]
  readonly figures: HomerFigures
  /** Most bytes of keys and values that were held at one time by nodes of this call. */
  readonly peakBytes: number
}

/**
 * A text laid out for merging: what runs, in which order, and what it takes. Nodes may run one at a time, each kept in a file, so that a reading
 * that was broken off goes on from there.
 */
export interface HomerTree {
  readonly nodes: readonly HomerTreeNode[]
  readonly figures: HomerFigures
  /** Hash of all that determines what a node comes to, model and settings included; equal parts of other texts have equal keys. */
  keyOf(node: HomerTreeNode): string
  /**
   * Runs one node, and those below it that are neither held nor saved; what it comes to is held in the worker until its parent has run.
   *
   * @returns hash of the file, where one was asked for
   * @throws ModelFileError when the file cannot be written
   */
  grow(node: HomerTreeNode, options?: GrowOptions): Promise<string | undefined>
  /** Runs what is left, and gives the finished cache. */
  read(options?: HomerCallOptions): Promise<HomerReading>
  /** Lets go of what nodes came to, in the worker; not of files, nor of caches that were given. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A model that merges texts of any length into one cache. */
export interface HomerModel {
  /**
   * Lays a text out for merging; nothing runs yet.
   *
   * @throws RangeError when the lengths leave a node without context or a level without a layer; ContextOverflowError when a chunk does not fit the
   *   window; ModelFileError when the model has layers with a sliding window, or ALiBi; TypeError when it has no head profile and is to go by heads
   */
  homerTree(text: HomerText, settings?: HomerSettings): HomerTree
  /** Merges a text in one call. Throws as `homerTree`. */
  homer(text: HomerText, options?: HomerSettings & Omit<HomerCallOptions, 'saved'>): Promise<HomerReading>
}

/** Whether a model can merge texts. */
export function isHomerModel(model: object): model is HomerModel {
  return 'homerTree' in model && typeof model.homerTree === 'function'
}
