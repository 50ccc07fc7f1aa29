/** What was typed cannot be done: a wrong flag or value. The message names the value and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
