/** One message of a conversation. A type alias, not an interface, so that it fits LangChain's message union as it is. */
export type ChatMessage = { role: 'system' | 'user' | 'assistant'; content: string }

/** What an invocation or a part of a stream returns: LangChain's `AIMessage` and `AIMessageChunk` fit. */
export interface ChatReply {
  /** Text, or LangChain content blocks. */
  readonly content: unknown
  readonly usage_metadata?:
    | {
        readonly input_tokens: number
        readonly output_tokens: number
        /** `cache_read`: tokens of the input that were known from earlier calls. */
        readonly input_token_details?: { readonly cache_read?: number | undefined } | undefined
      }
    | undefined
  readonly response_metadata?: Record<string, unknown>
}

export interface ChatCallOptions {
  readonly signal?: AbortSignal
  /** Most tokens of the reply. Our own models take it from here; LangChain's models hold it as a field. */
  readonly maxTokens?: number
  /** Sampling temperature; likewise. */
  readonly temperature?: number
}

/**
 * A model that answers messages. LangChain's `BaseChatModel` satisfies it as it is; so do the local models of this folder.
 * Neither method changes the messages it is given.
 */
export interface ChatModel {
  invoke(messages: ChatMessage[], options?: ChatCallOptions): Promise<ChatReply>
  stream(messages: ChatMessage[], options?: ChatCallOptions): Promise<AsyncIterable<ChatReply>>
}
