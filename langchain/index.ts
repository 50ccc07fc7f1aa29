/** The library's models, strategies and chunkers as classes of LangChain. */
export { asRunnable, type StrategyInput, type StrategyRunnableOptions } from './as-runnable.ts'
export type { JsonFormat, LocalChatCallOptions, LocalChatFields, ResponseFormat } from './chat-options.ts'
export { LocalChatModel } from './local-chat-model.ts'
export { LocalEmbeddings, type LocalEmbeddingsFields } from './local-embeddings.ts'
export { type ChunkerSplitter, type SplitterOptions, splitterOf } from './splitter-of.ts'
