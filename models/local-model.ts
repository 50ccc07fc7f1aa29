/** The contract of a model that runs here. */
import type { PrefixStats } from '../attention/index.ts'
import type { CacheHandle } from './cache-handle.ts'
import type { ChatCallOptions, ChatMessage, ChatModel, ChatReply } from './chat-model.ts'
import type { ModelDescription, SelfDescribing } from './describe.ts'
import type { EvidenceModel } from './evidence-model.ts'
import type { HomerModel } from './homer-model.ts'
import type { LikelihoodOptions } from './likelihood-model.ts'
import type { KeptTokens } from './local-protocol.ts'
import type { OutputConstraint } from './output-constraint.ts'

export interface LocalCallOptions extends ChatCallOptions {
  /** Most tokens of the reply; `describe().maxOutput`, or what the window leaves, by default. */
  readonly maxTokens?: number
  /** 0, which always takes the likeliest token, by default. */
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  /** Above 1: what the reply has said becomes less likely. */
  readonly repetitionPenalty?: number
  /** Added to the logits of tokens, by id. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Makes sampling repeatable. */
  readonly seed?: number
  /** Texts that end the reply; neither they nor what follows is part of it. */
  readonly stop?: readonly string[]
  /**
   * Gives log-probabilities as `response_metadata.logprobs` of the last part, as OpenAI's API does: of each token, and of this many of the
   * likeliest at its place (0: of none).
   */
  readonly logProbs?: number
  /** What the reply has to be: a JSON text by a schema, a text by a regular expression, one of some choices, a copy from some texts. */
  readonly constraint?: OutputConstraint
  /**
   * The reply is likely to quote its messages: tries tokens from there, several at once. The reply is the same. `true`, or the most tokens
   * that are tried.
   */
  readonly lookup?: boolean | number
  /** Lower runs first; 0 by default. */
  readonly priority?: number
  /** A text of this model that was read before: the messages stand after it, and only they are read. It does not change. */
  readonly after?: CacheHandle
}

export interface LoadOptions extends LikelihoodOptions {
  /** Told after each layer: a share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

export interface OpenCacheOptions extends LoadOptions {
  /** Cuts the cache down, so that it takes less memory and what follows it less time, at the price of what is dropped; nothing by default. */
  readonly keep?: KeptTokens
}

/** A reply of a local model: its content is text, and its usage is known. */
export interface LocalReply extends ChatReply {
  readonly content: string
}

/** A model that runs in a worker thread of this process. */
export interface LocalModel extends ChatModel, EvidenceModel, HomerModel, SelfDescribing {
  invoke(messages: ChatMessage[], options?: LocalCallOptions): Promise<LocalReply>
  stream(messages: ChatMessage[], options?: LocalCallOptions): Promise<AsyncIterable<LocalReply>>
  describe(): ModelDescription
  /** Loads the weights now rather than at the first call. */
  load(options?: LoadOptions): Promise<void>
  /**
   * Reads `text` once and keeps what it computed, so that anything after it is scored without reading it again. Its tokens are those of the
   * plain text, after the start token where the model's rule has one.
   *
   * @throws RangeError when the text is empty, or `keep` leaves no room; ContextOverflowError when the text does not fit the window
   */
  openCache(text: string, options?: OpenCacheOptions): Promise<CacheHandle>
  /**
   * Takes up a cache that `CacheHandle.save` wrote. Calls that begin with its tokens need not read them either, unless it was saved in few bits.
   *
   * @throws ModelFileError when the file is missing, of another model, weight form or version, cut short or damaged
   */
  loadCache(path: string, options?: LoadOptions): Promise<CacheHandle>
  /**
   * What was spared so far as calls began alike: their common tokens are computed once, across all kinds of calls, and kept under the budget
   * `prefixCacheBytes`. Undefined before the weights are loaded.
   */
  prefixStats(): Promise<PrefixStats | undefined>
  /** Frees the weights and the caches; the model cannot be used any more. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
