import type { BaseChatModelCallOptions, BaseChatModelParams } from '@langchain/core/language_models/chat_models'
import type { ToolDefinition } from '@langchain/core/language_models/base'
import type { CacheHandle, LocalModel } from '../models/index.ts'

/** What a local chat model is made of. LangChain's own fields (callbacks, tags, metadata, cache …) stand beside these. */
export interface LocalChatFields extends BaseChatModelParams {
  /**
   * A GGUF file or a model folder, opened at the first call; or a model that is open already, which stays its owner's. The bundled
   * SmolLM2-135M-Instruct by default.
   */
  readonly model?: string | LocalModel
  /** Threads of one run; the runtime's own choice by default. Only for a model that is opened here. */
  readonly threads?: number
  /** 0, which always takes the likeliest token, by default. */
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly minP?: number
  /** Above 1: what the reply has said becomes less likely. */
  readonly repetitionPenalty?: number
  /** Most tokens of the reply; a quarter of the window, 1,024 at most, by default. */
  readonly maxTokens?: number
  /** Makes sampling repeatable. */
  readonly seed?: number
  /** Texts that end the reply; they are not part of it. */
  readonly stop?: readonly string[]
  /** Makes the id of a tool call; a random UUID by default. */
  readonly makeId?: () => string
}

/** The shape of a reply, in the words of OpenAI's protocol. */
export type ResponseFormat =
  | { readonly type: 'text' }
  /** Any JSON object. */
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly json_schema: JsonFormat }

export interface JsonFormat {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly schema: Readonly<Record<string, unknown>>
}

/** Options of one call. LangChain's own (signal, timeout, callbacks, tags …) stand beside these. */
export interface LocalChatCallOptions extends BaseChatModelCallOptions {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
  readonly seed?: number
  /** Lower runs first; 0 by default. */
  readonly priority?: number
  /** A text that the model read before (`openCache` of the local model): the messages stand after it, and only they are read. */
  readonly after?: CacheHandle
  /** Tools that may be called, as `bindTools` sets them. */
  readonly tools?: readonly ToolDefinition[]
  /** The reply is held to this form. */
  readonly response_format?: ResponseFormat
}

/** What a reply is held to while it is written. */
export type ReplyConstraint = { readonly json: Readonly<Record<string, unknown>> } | { readonly regex: string }
