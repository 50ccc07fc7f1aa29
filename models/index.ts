/** What thinks: the chat-model, embedder and likelihood contracts, and what calls them. */
export { APPROXIMATE_MARGIN, approximateCount } from './approximate-count.ts'
export { readCacheHeader } from './cache-file.ts'
export type { CacheHeader } from './cache-header.ts'
export type { CacheHandle, CacheQuery, SaveCacheOptions } from './cache-handle.ts'
export type { CacheOrigin, KeptTokens } from './local-protocol.ts'
export { callModel, type CallModelOptions, type CallResult, type CallUsage, type Retry } from './call-model.ts'
export type { ChatCallOptions, ChatMessage, ChatModel, ChatReply } from './chat-model.ts'
export { type Clock, systemClock } from './clock.ts'
export { describe, type ModelDescription, type SelfDescribing } from './describe.ts'
export type { TokenVectors } from '../attention/index.ts'
export type { Embedder, NamedEmbedder, TokenEmbedder } from './embedder.ts'
export { type Evidence, type EvidenceModel, type EvidenceQuery, isEvidenceModel, type PrefixSpan } from './evidence-model.ts'
export {
  type GrowOptions,
  type HomerCallOptions,
  type HomerFigures,
  type HomerModel,
  type HomerReading,
  type HomerSettings,
  type HomerText,
  type HomerTree,
  type HomerTreeNode,
  isHomerModel,
  type KeptSpan,
  type KeptToken,
  type SavedNode,
} from './homer-model.ts'
export { FULL_POLICY } from './homer-policy.ts'
export {
  type CopiedSpan,
  isLikelihoodModel,
  type Likelihood,
  likelihoodOf,
  type LikelihoodModel,
  type LikelihoodOptions,
  type LikelihoodQuery,
} from './likelihood-model.ts'
export { modelName } from './model-name.ts'
export type { OutputConstraint } from './output-constraint.ts'
export { openAI, type OpenAIOptions } from './openai.ts'
export { openAICounter, type OpenAIEncoding } from './openai-counter.ts'
export { cost, knownPrice, type Price, PRICES_AS_OF } from './price.ts'
export { createLimiter, type Limiter, type LimiterOptions, type Permit } from './rate-limit.ts'
export { replyText } from './reply.ts'
export { type ResolvedModel, resolveModel } from './resolve-model.ts'
export { type EngineCallOptions, type LocalEngine, openEngine } from './local-engine.ts'
export { type ProfileOptions } from './head-profile.ts'
export { profileModel } from './profile-model.ts'
export { calibrateModel, type CalibrateModelOptions } from './calibrate-model.ts'
export { readDistanceBias } from './distance-bias-file.ts'
export { fileFingerprint } from './file-fingerprint.ts'
export { bestHeads, readHeadProfile, type StoredHeadProfile } from './head-profile-file.ts'
export { type EmbedTextsOptions, type LocalEmbedder, openLocalEmbedder, type OpenLocalEmbedderOptions } from './local-embedder.ts'
export type { LoadOptions, LocalCallOptions, LocalModel, LocalReply, OpenCacheOptions } from './local-model.ts'
export { openLocalModel, type OpenLocalModelOptions } from './open-local-model.ts'
export { type FileSource, openFileSource } from './file-source.ts'
export { startThread } from './start-thread.ts'
