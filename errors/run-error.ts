/** A run ended by failure. What it had read stays in the journal under `runId`. */
export class RunError extends Error {
  override readonly name = 'RunError'
  readonly runId: string

  constructor(message: string, options: { runId: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.runId = options.runId
  }
}
