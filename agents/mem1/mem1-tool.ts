/** What the loop of MEM1 looks things up with. */
export interface Mem1Tool {
  /** Letters, digits, `_`, `-` and `.`. */
  readonly name: string
  /** What it finds, in words for the model. */
  readonly description: string
  /** Looks up. An empty text says that nothing was found; what it throws becomes what the model reads. */
  run(query: string, signal: AbortSignal): Promise<string>
}
