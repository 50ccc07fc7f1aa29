/**
 * The parts of a call do not fit the model's window. Thrown before the call is sent.
 * `parts` names each part with its tokens (system, instruction, question, state, chunk, output, margin).
 */
export class ContextOverflowError extends Error {
  override readonly name = 'ContextOverflowError'
  /** Tokens of each part of the call. */
  readonly parts: Readonly<Record<string, number>>
  /** The window, in tokens, that they had to fit. */
  readonly window: number

  constructor(action: string, parts: Readonly<Record<string, number>>, window: number, hint?: string) {
    super(`${action} as its parts need more than the window of ${window} tokens: ${listParts(parts)}${hint ? `. ${hint}` : ''}`)
    this.parts = parts
    this.window = window
  }
}

function listParts(parts: Readonly<Record<string, number>>): string {
  return Object.entries(parts)
    .map(([part, tokens]) => `${part} ${tokens}`)
    .join(' + ')
}
