/** There is too much to do just now: to be asked again later. */
export class BusyError extends Error {
  override readonly name = 'BusyError'
  /** Seconds to wait. */
  readonly retryAfter: number

  constructor(message: string, retryAfter: number) {
    super(message)
    this.retryAfter = retryAfter
  }
}
