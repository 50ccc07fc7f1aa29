import { ModelError } from '../errors/index.ts'

/** Reasons that will not pass by reading on: the next call would fail the same way. */
const FATAL = new Set<string>(['authentication', 'connection', 'bad-request'])

/**
 * Runs a step whose failure costs one chunk, not the run: a model's failure gives undefined (the chunk is reported as failed), anything
 * else (abort, limits, overflow, a model that cannot be reached) is thrown. `onFailure` is told of the failure, and may throw instead.
 */
export async function attempt<T>(work: () => Promise<T>, onFailure?: (error: ModelError) => void): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ModelError) || FATAL.has(error.reason)) throw error
    onFailure?.(error)
    return undefined
  }
}
