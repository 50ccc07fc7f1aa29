/** Reads documents of any length with any model: ask a question, get an answer with quotations that are really there. */
export { createDocument, type Document, readDocument } from './chunkers/index.ts'
export { ContextOverflowError, DocumentError, ModelError, ModelFileError, RunError, StoreError } from './errors/index.ts'
export { openMemory } from './memory/index.ts'
export { describe, openLocalEmbedder, openLocalModel } from './models/index.ts'
export {
  type Answer,
  ask,
  type AskOptions,
  type Citation,
  type Conversation,
  defineStrategy,
  openConversation,
  openSource,
  type Plan,
  plan,
  type Run,
  type RunEvent,
  type Source,
} from './workflows/index.ts'
