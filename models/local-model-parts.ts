import type { AttentionHead, ByteTokenizer, DecoderConfig } from '../attention/index.ts'
import type { BiasFile, DecoderSpec } from './local-protocol.ts'
import type { EngineHold } from './shared-engine.ts'

/** What a local model is made of. */
export interface LocalModelParts {
  readonly id: string
  readonly config: DecoderConfig
  readonly tokenizer: ByteTokenizer
  /** The chat template of the model file, if it has one. */
  readonly template: string | undefined
  readonly spec: DecoderSpec
  /** Heads that retrieve, where they are known. */
  readonly heads?: readonly AttentionHead[] | undefined
  /** Its calibration, where there is one. */
  readonly bias?: BiasFile | undefined
  readonly hold: EngineHold
}
