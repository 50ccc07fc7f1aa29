/** What a run will take, at most, before anything is spent. */
export interface Plan {
  readonly strategy: string
  /** Chunks that will be read. */
  readonly chunks: number
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** US dollars at list prices; undefined where a price is not known; 0 for local models. */
  readonly usd: number | undefined
  /** Calls that must follow one another. */
  readonly criticalPath: number
  /** Estimated seconds, where the speed of the model is known. */
  readonly seconds: number | undefined
  /** Things worth knowing, such as a chunk size cut down to fit. */
  readonly notes: readonly string[]
}
