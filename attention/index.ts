/** The attention core: decoder-only transformers run layer by layer on an injected ONNX runtime, with the cache in the caller's hands. */
export type {
  CacheRows,
  Continuation,
  Decoder,
  DecoderConfig,
  GenerateEnd,
  GenerateOptions,
  KVCache,
  LayerRunOptions,
  ObserveOptions,
  Observation,
  PlacedPrefillOptions,
  PrefillOptions,
} from './decoder.ts'
export {
  attend,
  attentionWeights,
  watchAttention,
  type AttendOptions,
  type Attended,
  type AttentionHead,
  type AttentionWatch,
} from './attend.ts'
export type { Constraint, ConstraintRun } from './constraints/constraint.ts'
export { ConstraintCompiler, type ConstraintSpec } from './constraints/compile-constraint.ts'
export type { JsonValue, Schema } from './constraints/json-schema.ts'
export { TokenMask } from './constraints/token-mask.ts'
export { type CopiedEnd, type TokenSource, VerbatimAutomaton } from './constraints/verbatim-automaton.ts'
export { checkWindow } from './check-window.ts'
export type { Device, DeviceChoice, DeviceOptions, GpuAdapter } from './choose-device.ts'
export { dequantise } from './dequantise.ts'
export { homer, type HomerNodes, type HomerOptions, type HomerReport, type HomerResult, mergeObstacle, mergeSubtree } from './homer.ts'
export type { NodeState, SuffixRule } from './homer-node.ts'
export { type HomerLengths, type HomerNode, type HomerPlan, planHomer } from './homer-plan.ts'
export type { HomerPrompt } from './homer-run.ts'
export { readAgain, type ReadAgainOptions, type Reread } from './read-again.ts'
export { retrievalSignificance, type RetrievalOptions } from './retrieval-significance.ts'
export { type ScoredLeaves, scoreLeaves, type ScoreLeavesOptions } from './score-leaves.ts'
export {
  calibratedSignificance,
  type DistanceBias,
  highestLogits,
  type ScoredNode,
  type ScoreOptions,
  type SeenLayer,
  type Significance,
} from './significance.ts'
export { survivingSpans, type SurvivingSpan, type SurvivingSpanOptions } from './surviving-spans.ts'
export { averageCaches, concatCaches } from './join-caches.ts'
export { keepCache, sliceCache } from './keep-cache.ts'
export { full, sinksAndRecent, snapKv, type CachePolicy, type SnapKvOptions } from './policies/index.ts'
export { prefillRetained, retain, type Retained, type RetainOptions } from './retain.ts'
export {
  type CacheForm,
  dequantiseRows,
  type QuantisedCache,
  type QuantisedRows,
  quantiseCache,
  quantisedSizes,
  quantiseRows,
} from './quantise-cache.ts'
export { type PrefixDecoder, type PrefixStats, reusePrefixes } from './prefix-decoder.ts'
export { type KeyRotation, repositionCache, rotationOf, slotPositions } from './reposition-cache.ts'
export { readGguf, readTensorBytes, type GgufFile, type GgufTensor } from './gguf.ts'
export { readConfig } from './model-config.ts'
export { openDecoder, type OpenDecoderOptions } from './open-decoder.ts'
export { type ModelFile, readModelFile } from './model-file.ts'
export type { ByteSource, FileSet, OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.ts'
export { logProbOf, type LogProbOptions, type TokenLogProb, tokenLogProb } from './log-probs.ts'
export type { LookupOptions } from './prompt-lookup.ts'
export { StopStrings } from './stop-strings.ts'
export { hasText } from './text-of-tokens.ts'
export { createSampler, type Sampler, type SamplingOptions } from './sampling.ts'
export type { TensorType } from './tensor-types.ts'
export type { Tokenizer } from './tokenizer.ts'
export { createBpeTokenizer } from './bpe-tokenizer.ts'
export { createGgufTokenizer } from './gguf-tokenizer.ts'
export { readSafetensors, type SafeTensor } from './safetensors.ts'
export type { ByteTokenizer } from './byte-tokenizer.ts'
export { encodeChat, renderChat, type RenderChatOptions, type TemplateMessage, withStart } from './chat-template.ts'
export { openEncoder, type EmbedOptions, type Encoder, type EncoderOptions, type TokenVectors } from './encoder.ts'
export { createTokenizer } from './json-tokenizer.ts'
