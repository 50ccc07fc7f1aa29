/**
 * What crosses between a program and the worker that runs its local models: token ids, strings, numbers, and vectors once they are done.
 * Never weights, caches or tensors.
 */
import type {
  AttentionHead,
  ConstraintSpec,
  DecoderConfig,
  DeviceChoice,
  GenerateEnd,
  HomerPrompt,
  PrefixStats,
  SamplingOptions,
  TokenLogProb,
  TokenVectors,
} from '../attention/index.ts'

/** A GGUF file to run, and the threads of a run. */
export interface DecoderSpec {
  readonly path: string
  readonly threads?: number
  /** Most bytes of keys and values of past prompts that are kept for later ones. */
  readonly prefixCacheBytes?: number
  /** Where it runs; the CPU by default. */
  readonly device?: DeviceChoice
}

/** The files of an encoder. */
export interface EncoderSpec {
  readonly model: string
  readonly tokenizer: string
  readonly maxTokens: number
  readonly threads?: number
}

export interface GenerateCall extends SamplingOptions {
  readonly decoder: DecoderSpec
  readonly prompt: readonly number[]
  readonly maxTokens: number
  readonly stop: readonly number[]
  readonly stopStrings?: readonly string[]
  /** What the output has to be; compiled, and kept, where it runs. */
  readonly constraint?: ConstraintSpec
  /** Log-probabilities of the output's tokens are wanted, and of this many of the likeliest at each place. */
  readonly logProbs?: number
  /** The output is likely to quote the prompt: most tokens that are tried at once. */
  readonly lookup?: number
  /** A cache of the worker that comes before the prompt. */
  readonly after?: number
}

export interface GenerateResult extends GenerateEnd {
  /** Tokens of the prompt that were not computed, as an earlier call had begun with them. */
  readonly cached?: number
  readonly logProbs?: readonly TokenLogProb[]
}

/** Token ids of a condition and of what is scored under it. */
export interface ScoreItem {
  readonly prefix: readonly number[]
  readonly text: readonly number[]
}

export interface ScoreCall {
  readonly decoder: DecoderSpec
  readonly items: readonly ScoreItem[]
  /** A cache of the worker that comes before every prefix. */
  readonly after?: number
}

/** Token ids of a condition, of what is scored under it, and the parts of the condition that are weighed. */
export interface EvidenceItem extends ScoreItem {
  /** Tokens `[start, end)` of the prefix. */
  readonly spans: readonly (readonly [start: number, end: number])[]
}

export interface EvidenceCall {
  readonly decoder: DecoderSpec
  readonly items: readonly EvidenceItem[]
  readonly heads: readonly AttentionHead[]
}

export interface EvidenceNumbers {
  /** log P of each token. */
  readonly scores: Float32Array
  /** [heads, spans]. */
  readonly weights: Float32Array
}

/** What a cache was computed of, for whoever must find all that was derived from a document. */
export interface CacheOrigin {
  readonly scope?: string
  readonly documentIds?: readonly string[]
}

/** What a saved cache must have in common with the model that loads it. */
export interface CacheIdentity {
  readonly model: string
  readonly weightForm: string
  readonly layers: number
  readonly hidden: number
  readonly kvHeads: number
  readonly headDim: number
  /** Says the rotary embedding in full. */
  readonly rope: string
  /** What chose the tokens that are kept, with its parameters. */
  readonly policy: string
}

/** A cache that is cut down to a number of tokens, and by what. */
export interface KeptTokens {
  /**
   * `snapkv`: the last tokens and what they attend to most; the text has to fit the window. `sinks-and-recent`: the first tokens and the latest
   * ones, of a text of any length.
   */
  readonly policy: 'snapkv' | 'sinks-and-recent'
  /** Most tokens that are kept. */
  readonly tokens: number
}

/** Caches are numbers here: the caller chooses one that was never used. */
export interface OpenCacheCall {
  readonly decoder: DecoderSpec
  readonly cache: number
  readonly ids: readonly number[]
  /** All tokens are kept by default. */
  readonly keep?: KeptTokens
}

export interface ForkCacheCall {
  readonly cache: number
  /** Number of the copy. */
  readonly fork: number
}

export interface LoadCacheCall {
  readonly decoder: DecoderSpec
  readonly cache: number
  readonly identity: CacheIdentity
  readonly path: string
}

export interface SaveCacheCall extends Omit<LoadCacheCall, 'decoder' | 'identity'> {
  readonly identity: CacheIdentity & CacheOrigin
  /** How keys and values are written. */
  readonly form: 'float32' | 'int8' | 'int4'
}

export interface CacheSize {
  readonly tokens: number
  readonly bytes: number
}

export interface LoadedCache extends CacheSize {
  /** What chose its tokens. */
  readonly policy: string
}

/** A file that holds what a node of a merge came to. */
export interface NodeFile {
  /** Place of the node among all of its tree, children before parents. */
  readonly node: number
  readonly path: string
  readonly sha256: string
}

/** The file of a calibration. */
export interface BiasFile {
  readonly path: string
  /** Fingerprint of the model that it has to be of. */
  readonly model: string
  /** Of the file, hexadecimal: another calibration gives another merge. */
  readonly sha256: string
}

/** A text to be merged, as token ids, and how. */
export interface HomerCall {
  readonly decoder: DecoderSpec
  /** A number that the caller never used for another: under it the worker holds what nodes came to. */
  readonly tree: number
  readonly prompt: HomerPrompt
  readonly maxChunk: number
  readonly target: number
  readonly warmUp: number
  /** Heads whose queries say what is kept; where there are none, the highest logit of any head does. */
  readonly heads: readonly AttentionHead[]
  /** What the logits of all heads are measured against. */
  readonly bias?: BiasFile
  /** Of the files of nodes: its policy names text and settings. */
  readonly identity: CacheIdentity
  readonly saved: readonly NodeFile[]
}

export interface GrowCall extends HomerCall {
  readonly node: number
  /** Where to keep what the node comes to. */
  readonly path?: string
  readonly origin: CacheOrigin
}

export interface MergeCall extends HomerCall {
  /** Number of the finished cache. */
  readonly cache: number
}

export interface MergedText extends CacheSize {
  /** Of each token its place in the text, or -1, and its score. */
  readonly sources: Int32Array
  readonly scores: Float32Array
  /** Most bytes of keys and values held by nodes of the call at one time. */
  readonly peakBytes: number
}

export interface CopyCall {
  readonly decoder: DecoderSpec
  readonly prompt: readonly number[]
  readonly source: readonly number[]
  /** Indices in `source` at which a copy may begin. */
  readonly starts: readonly number[]
  /** Indices in `source` of the tokens after which a copy may end. */
  readonly ends: readonly number[]
  readonly maxTokens: number
  /** Tokens that say "here it ends". */
  readonly stop: readonly number[]
}

/** Tokens `[from, to)` of the source. */
export interface CopiedTokens {
  readonly from: number
  readonly to: number
  readonly logProb: number
}

export interface EmbedCall {
  readonly encoder: EncoderSpec
  readonly texts: readonly string[]
}

/** What the worker does: the argument and the result of each method. */
export interface LocalMethods {
  /** Loads a decoder. Progress is a share. */
  load: { argument: DecoderSpec; result: DecoderConfig }
  /** Frees a decoder or an encoder. */
  release: { argument: DecoderSpec | EncoderSpec; result: undefined }
  /** Parts are token ids. */
  generate: { argument: GenerateCall; result: GenerateResult }
  /** Progress is a share; the result has one sum of log P an item. */
  score: { argument: ScoreCall; result: Float32Array[] }
  /** As `score`, and what the heads looked at. Progress is a share. */
  evidence: { argument: EvidenceCall; result: EvidenceNumbers[] }
  /** What a decoder spared so far by what it kept of past prompts. */
  prefixStats: { argument: DecoderSpec; result: PrefixStats | undefined }
  copy: { argument: CopyCall; result: CopiedTokens | undefined }
  /** Prefills tokens into a cache that the worker keeps. Progress is a share. */
  openCache: { argument: OpenCacheCall; result: LoadedCache }
  forkCache: { argument: ForkCacheCall; result: CacheSize }
  saveCache: { argument: SaveCacheCall; result: undefined }
  /** Progress is a share. */
  loadCache: { argument: LoadCacheCall; result: LoadedCache }
  closeCaches: { argument: readonly number[]; result: undefined }
  /** Runs a node of a merge, and gives the hash of its file, if it has one. Progress is the place of each node that ran. */
  growNode: { argument: GrowCall; result: string | undefined }
  /** Runs what is left of a merge, and keeps the cache. Progress as in `growNode`. */
  mergeText: { argument: MergeCall; result: MergedText }
  /** Lets go of what the nodes of a tree came to. */
  closeTree: { argument: number; result: undefined }
  /** Progress is the number of texts done. */
  embed: { argument: EmbedCall; result: Float32Array[] }
  /** As `embed`, token by token. The vectors are handed over, not copied. */
  embedTokens: { argument: EmbedCall; result: TokenVectors[] }
}

export type LocalMethod = keyof LocalMethods
export type Argument<M extends LocalMethod> = LocalMethods[M]['argument']
export type Result<M extends LocalMethod> = LocalMethods[M]['result']

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly priority: number; readonly method: LocalMethod; readonly argument: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  /** Cancels everything, frees everything, and ends the thread. */
  | { readonly kind: 'close' }

/** What the worker is started with. */
export interface WorkerStart {
  /** One number, which becomes 1 (and is notified) once the worker runs nothing any more and will not. */
  readonly ended: Int32Array<SharedArrayBuffer>
}

export type FromWorker =
  | { readonly kind: 'part'; readonly id: number; readonly value: number }
  | { readonly kind: 'progress'; readonly id: number; readonly value: number }
  /** Something of note that the call came upon. */
  | { readonly kind: 'log'; readonly id: number; readonly fields: object; readonly message: string }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }

/** An error as plain data: a class does not survive the way from a worker. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Own fields, where they are plain. */
  readonly fields: Readonly<Record<string, string | number>>
}

/** What a method of the worker is given beside its argument. */
export interface CallContext {
  readonly signal: AbortSignal
  readonly part: (value: number) => void
  readonly progress: (value: number) => void
  readonly log?: (fields: object, message: string) => void
  /** Lets calls of a higher priority run first; resolves when it is this call's turn again. */
  readonly giveWay: () => Promise<void>
}
