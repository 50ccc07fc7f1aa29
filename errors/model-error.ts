/** What went wrong with a model call. `retryable` reasons are retried by the call's one owner of retries. */
export type ModelErrorReason =
  | 'authentication'
  | 'rate-limit'
  | 'server'
  | 'connection'
  | 'timeout'
  | 'refused'
  | 'bad-request'
  | 'cut-stream'
  | 'empty'
  | 'unknown'

export interface ModelErrorOptions {
  readonly reason: ModelErrorReason
  /** Name of the model, as `describe` reports it. */
  readonly model: string
  /** HTTP status, where there was one. */
  readonly status?: number
  /** Milliseconds the server asked to wait (`retry-after`). */
  readonly retryAfter?: number
  /** Attempts made before giving up. */
  readonly attempts?: number
  readonly cause?: unknown
}

/** A model call failed for good: it is not retried, or its retries are used up. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly reason: ModelErrorReason
  readonly model: string
  readonly status: number | undefined
  readonly retryAfter: number | undefined
  readonly attempts: number

  constructor(message: string, options: ModelErrorOptions) {
    super(message, { cause: options.cause })
    this.reason = options.reason
    this.model = options.model
    this.status = options.status
    this.retryAfter = options.retryAfter
    this.attempts = options.attempts ?? 1
  }
}
