/** A constrained output does not fit the token limit. Thrown before anything is generated. */
export class ConstraintLimitError extends Error {
  override readonly name = 'ConstraintLimitError'
  /** Tokens of the shortest output that fulfils the constraint. */
  readonly leastTokens: number
  /** The limit that was given. */
  readonly maxTokens: number

  constructor(leastTokens: number, maxTokens: number) {
    super(`Cannot generate as the constraint needs at least ${leastTokens} tokens and the limit is lower: ${maxTokens}. Raise the limit`)
    this.leastTokens = leastTokens
    this.maxTokens = maxTokens
  }
}
