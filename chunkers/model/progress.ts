/** How far a chunker that asks a model is. */
export interface ChunkingProgress {
  /** Texts that the model has read, and all it will. */
  readonly done: number
  readonly total: number
  /** Tokens that it has read, where they are counted. */
  readonly tokens?: number
}
