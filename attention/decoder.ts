/**
 * The contract of the attention core: a decoder-only transformer run layer by layer, with its key/value cache in the caller's hands.
 * Knows tokens and tensors; no documents, no prompts, no threads, no `node:` modules.
 */
import type { ModelTraits } from './architectures.ts'
import type { RotaryRule } from './rotary-rules.ts'
import type { Constraint } from './constraints/constraint.ts'
import type { LogProbOptions } from './log-probs.ts'
import type { LookupOptions } from './prompt-lookup.ts'
import type { SamplingOptions } from './sampling.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Shape of a decoder. L = layers, H = heads, Hkv = kvHeads, d = headDim. */
export interface DecoderConfig {
  readonly architecture: string
  /** How the architecture differs from plain Llama. */
  readonly traits: ModelTraits
  readonly name: string
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly feedForward: number
  readonly vocabulary: number
  /** Longest sequence, in tokens, that the model was trained for. */
  readonly window: number
  readonly ropeBase: number
  /** Rotary embedding of the layers that see all tokens, and of all layers where `slidingRope` is undefined. */
  readonly rope: RotaryRule
  /** Rotary embedding of the layers with a sliding window. */
  readonly slidingRope?: RotaryRule
  /** Says the rotary embedding in full: part of the identity of a cache. */
  readonly ropeForm: string
  /** A token of a sliding layer sees those whose position is less than this before its own. */
  readonly slidingWindow?: number
  /** For each layer whether it has the sliding window; empty where none has. */
  readonly slidingLayers: readonly boolean[]
  /** What queries are multiplied by, besides attention's division by the root of `headDim`. */
  readonly queryScale: number
  /** Strength of ALiBi (Press et al., 2022): scores fall with the distance, and nothing is rotated. 0 where a model has none. */
  readonly alibiBias: number
  readonly normEpsilon: number
  /** Name of the weight form that runs, for instance `q4` or `f32`: part of the identity of a cache. */
  readonly weightForm: string
}

/** Rotated keys and values of one layer, each [tokens, kvHeads headDim], in the order of the tokens. */
export interface CacheRows {
  readonly keys: Float32Array
  readonly values: Float32Array
}

/**
 * Rotated keys and values of every layer, their position ids and the index of the source token each row came from.
 * A value owned by the caller: nothing else changes it, and `dispose` frees it.
 */
export interface KVCache {
  /** Tokens held. */
  readonly length: number
  /** Position id of each token. */
  readonly positions: Int32Array
  /**
   * Index of the source token of each token: 0, 1, ... in the order in which they were fed, unless told otherwise. Negative for a token that
   * stands for no single one, such as the mean of several.
   */
  readonly sources: Int32Array
  /** Id of each token that was fed in order after all before it; -1 where that is not known. */
  readonly ids: Int32Array
  /** 1 for each token with an id that ran in the arithmetic of long reads (see `OpenDecoderOptions.readForm`), 0 for all others. */
  readonly longReads: Uint8Array
  /** Bytes of keys and values held. */
  readonly bytes: number
  /** Hidden row [hidden] of the last token after the last layer, when it is known: what scores the first token after the cache. */
  lastHidden: Float32Array | undefined
  /** A copy that grows on its own; rows are shared until one of the two writes. */
  fork(): KVCache
  /** Forgets all tokens from index `length` on. */
  truncate(length: number): void
  /** Tokens that `layer` holds: fewer than `length` while only the layers before it have run. */
  layerLength(layer: number): number
  /** A copy of what `layer` holds, for a place outside the program. */
  exportRows(layer: number): CacheRows
  /**
   * Appends rows that `exportRows` gave, or that were made elsewhere, at `positions` [tokens]; `lastHidden` is unknown from then on. The layers
   * have to be given alike, from the first on.
   */
  importRows(layer: number, rows: CacheRows, positions: Int32Array, sources?: Int32Array): void
  /** Says which tokens stand from index `start` on, of tokens that were fed in order, each seeing all before it; and whether in a long read. */
  setIds(start: number, ids: ArrayLike<number>, longRead?: boolean): void
  dispose(): void
  [Symbol.dispose](): void
}

/** Rotated queries of consecutive tokens in one layer, while the layer's keys of these tokens and of all before them lie in `cache`. */
export interface Observation {
  readonly layer: number
  /** Rotated queries, [rows, heads headDim]; valid until the call returns. */
  readonly queries: Float32Array
  readonly rows: number
  /** Index in the cache of the first row's token. */
  readonly start: number
  readonly cache: KVCache
  /** Which of the continuations that `logProbs` scores side by side; 0 where there is one sequence. */
  readonly sequence: number
}

/** What of a run is to be seen. */
export interface ObserveOptions {
  /** Layers to observe; all by default. */
  readonly layers?: readonly number[]
  /** How many of the last tokens of each sequence of the run; all by default. A continuation's last token is not run. */
  readonly rows?: number
  /** Told after each of the layers. Tokens that go through the layers in several slices are told of in as many calls. */
  readonly onQueries: (observation: Observation) => void
}

export interface PrefillOptions {
  readonly signal?: AbortSignal
  /** Shows the queries of a tail of the tokens: with the cache's keys they say what was attended to (see `attentionWeights`). */
  readonly observe?: ObserveOptions
  /** Told after each block of layers or tokens: a share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** Options of a run over rows of hidden states. */
export interface LayerRunOptions extends PrefillOptions {
  /** Whether the rows are part of a long read (see `Decoder.isLongRead`), and so run in its arithmetic; no by default. */
  readonly longRead?: boolean
}

/** Where the tokens of a prefill stand and came from. */
export interface PlacedPrefillOptions extends PrefillOptions {
  /** Position id of each token, in any order, also repeated; those that follow the cache's last by default. */
  readonly positions?: readonly number[]
  /** Index of the source token of each token; those that follow the highest so far by default. */
  readonly sources?: readonly number[]
  /**
   * Whether the tokens are part of a long read, and so run in its arithmetic; by default by their number. Says so of a long read that is fed in
   * pieces, so that it comes to the same as in one.
   */
  readonly longRead?: boolean
}

export interface GenerateOptions extends SamplingOptions {
  readonly maxTokens: number
  /** Token ids that end generation (not emitted). */
  readonly stop?: readonly number[]
  /** Texts that end generation. The token with which the first of them is complete is the last one emitted. */
  readonly stopStrings?: readonly string[]
  /** Restricts the next token: given the ids so far, the ids that may follow (undefined: any). An empty list ends generation. */
  readonly allow?: (generated: readonly number[]) => Iterable<number> | undefined
  /** What the output as a whole has to be; it is completed within `maxTokens`. */
  readonly constraint?: Constraint
  /** Runs several tokens at once where the output repeats a source: the output stays the same. */
  readonly lookup?: LookupOptions
  /** Tells of each token before it is emitted. */
  readonly logProbs?: LogProbOptions
  readonly signal?: AbortSignal
}

/** How a generation ended. */
export interface GenerateEnd {
  /** `length` where the token limit ended the output, or made a constrained one be completed early. */
  readonly finish: 'stop' | 'length'
  /** Tokens that were run before it was known that they follow, and how many of them did. */
  readonly drafted: number
  readonly accepted: number
}

/** One sequence of a batch to be scored after a shared prefix. */
export interface Continuation {
  readonly ids: readonly number[]
  /** Index in `ids` of the first token whose log-probability is wanted; 0 by default. */
  readonly from?: number
}

/** What one prompt of several comes to. */
export interface Prefilled {
  readonly cache: KVCache
  /** Logits of the prompt's last token [vocabulary]. */
  readonly logits: Float32Array
}

/** A decoder-only transformer. Calls run one at a time; each gives the event loop back at least once a layer. */
export interface Decoder {
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  /** The chat template of the model file (Jinja), if it has one. */
  readonly chatTemplate: string | undefined
  createCache(): KVCache
  /** Whether a read of as many tokens runs in an arithmetic of its own. */
  isLongRead(tokens: number): boolean
  /** Embedding rows of `ids`: shape [ids.length, hidden]. */
  embed(ids: readonly number[]): Float32Array
  /**
   * Runs layers `from` (inclusive) to `to` (exclusive) over `hidden` [S, hidden] at `positions`, attending to `cache` and the new rows
   * (causal by index), and appends the new keys and values to `cache` for those layers.
   */
  runLayers(
    from: number,
    to: number,
    hidden: Float32Array,
    positions: Int32Array,
    cache: KVCache,
    options?: LayerRunOptions,
  ): Promise<Float32Array>
  /** Logits [S, vocabulary] of hidden rows [S, hidden] after the last layer (final norm and LM head). */
  logits(hidden: Float32Array): Promise<Float32Array>
  /** Feeds `ids` after what the cache holds, at the positions that follow unless told otherwise; returns the logits of the last token [vocabulary]. */
  prefill(ids: readonly number[], cache: KVCache, options?: PlacedPrefillOptions): Promise<Float32Array>
  /**
   * Feeds each prompt to an empty cache of its own; in order. Short prompts go through the layers side by side, which changes neither caches
   * nor logits, and is several times as fast as one after another.
   */
  prefillMany(prompts: readonly (readonly number[])[], options?: Omit<PrefillOptions, 'observe'>): Promise<Prefilled[]>
  /**
   * Continues from `cache` (whose last token's logits are `logits`), yielding token ids.
   *
   * @throws ConstraintLimitError when `maxTokens` is too little for the shortest output that the constraint allows
   */
  generate(cache: KVCache, logits: Float32Array, options: GenerateOptions): AsyncGenerator<number, GenerateEnd>
  /**
   * log P of each token of each continuation (natural logarithm), given `prefix` and the tokens before it. The prefix is computed once.
   * A continuation's result has `ids.length - from` entries. With an empty prefix, `from` has to be 1 or more, as the first token has no
   * condition: texts that have nothing in common are scored side by side so.
   */
  logProbs(prefix: readonly number[] | KVCache, continuations: readonly Continuation[], options?: PrefillOptions): Promise<Float32Array[]>
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
