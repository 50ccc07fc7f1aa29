import type { Answer, ChunkOutcome, RunUsage } from './answer.ts'
import type { Selection } from './memory-selection.ts'
import type { Plan } from './plan.ts'

/**
 * What happens in a run, in order: one discriminated union, noun then verb. Every `started` has its `finished` or `failed` with the same
 * path, also on error and abort.
 */
export type RunEvent =
  | { readonly type: 'run.started'; readonly runId: string; readonly strategy: string; readonly documents: readonly string[] }
  | { readonly type: 'plan.ready'; readonly plan: Plan }
  | { readonly type: 'index.started'; readonly document: string; readonly total: number }
  | { readonly type: 'index.progress'; readonly document: string; readonly done: number; readonly total: number }
  | { readonly type: 'index.finished'; readonly document: string }
  | { readonly type: 'worker.started'; readonly path: string; readonly chunkIndex: number; readonly documentId: string }
  | {
      readonly type: 'worker.finished'
      readonly path: string
      readonly chunkIndex: number
      readonly documentId: string
      readonly outcome: ChunkOutcome
      readonly done: number
      readonly total: number
    }
  | { readonly type: 'step.started'; readonly path: string; readonly agent: string }
  | {
      readonly type: 'step.finished'
      readonly path: string
      readonly agent: string
      readonly reused: boolean
      readonly milliseconds: number
    }
  | { readonly type: 'step.failed'; readonly path: string; readonly agent: string; readonly error: unknown }
  | { readonly type: 'call.retried'; readonly path: string; readonly attempt: number; readonly wait: number; readonly error: unknown }
  | { readonly type: 'notice.given'; readonly path: string; readonly code: string; readonly message: string }
  /** What of a conversation comes back for a message, and why; the budget is the tokens that the items had to fit. */
  | ({ readonly type: 'memory.selected'; readonly controller: string; readonly budget: number } & Selection)
  | { readonly type: 'answer.started' }
  | { readonly type: 'answer.delta'; readonly text: string }
  /** The text so far is void: the call is made again. */
  | { readonly type: 'answer.restarted' }
  | { readonly type: 'answer.finished' }
  | { readonly type: 'run.paused' }
  | { readonly type: 'run.resumed' }
  | { readonly type: 'run.finished'; readonly answer: Answer }
  | { readonly type: 'run.failed'; readonly error: unknown; readonly usage: RunUsage }
