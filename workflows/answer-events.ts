import type { RunEvent } from './run-event.ts'

/** Brackets the parts of the answer: one `answer.started` before the first, one `answer.finished` after the last. */
export interface AnswerEvents {
  /** Whether any part of the answer was told. */
  readonly told: boolean
  start(): void
  delta(text: string): void
  finish(): void
}

export function createAnswerEvents(emit: (event: RunEvent) => void): AnswerEvents {
  let open = false
  let told = false
  function start(): void {
    if (!open) emit({ type: 'answer.started' })
    open = true
  }
  return {
    get told() {
      return told
    },
    start,
    delta(text) {
      start()
      told = true
      emit({ type: 'answer.delta', text })
    },
    finish() {
      if (open) emit({ type: 'answer.finished' })
      open = false
    },
  }
}
