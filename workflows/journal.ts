import type { Usage } from '../agents/index.ts'
import type { Erasable } from '../memory/index.ts'
import type { Answer } from './answer.ts'

/** A recorded step. Its id is (run, path), which serves resume; `key` is a hash of what determines it, which serves reuse. */
export interface JournalStep {
  readonly runId: string
  readonly path: string
  /** SHA-256 over namespace, agent, version, identity, input and sample; no path. */
  readonly key: string
  readonly agent: string
  /** What the agent recorded, as JSON. */
  readonly output: string
  readonly usage: Usage
  readonly scope: string
  readonly documentIds: readonly string[]
  /** Milliseconds since 1970. */
  readonly finishedAt: number
  readonly milliseconds: number
}

export type RunStatus = 'running' | 'paused' | 'answered' | 'not-found' | 'partial' | 'stopped' | 'failed'

/** A recorded run. Text lives in its steps; `snapshot` holds ids, counters and cursors only (under 10 KB at any length). */
export interface JournalRun {
  readonly id: string
  readonly scope: string
  readonly status: RunStatus
  readonly strategy: string
  readonly question: string | undefined
  /** Names of the documents, for people. */
  readonly sources: readonly string[]
  readonly documentIds: readonly string[]
  /** Persisted snapshots of the run's machines, as JSON. */
  readonly snapshot: string
  readonly answer: Answer | undefined
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * The source of truth of runs. A recorded step is not run again; a failed one is never recorded. An erasure of documents takes their runs with all
 * steps, the steps of others that name them, and the steps of the scope that name no document, as those may hold text of any; so does one of
 * single records, of which a journal knows nothing but that.
 */
export interface Journal extends Erasable {
  putRun(run: JournalRun): Promise<void>
  getRun(id: string): Promise<JournalRun | undefined>
  /** Newest first. */
  listRuns(options?: { readonly limit?: number; readonly scope?: string }): Promise<JournalRun[]>
  /** Records a step. Two writers of one (run, path) leave one record: the first stays. */
  putStep(step: JournalStep): Promise<void>
  getStep(runId: string, path: string): Promise<JournalStep | undefined>
  /** The newest step with this key within the scope, of any run. */
  findStep(scope: string, key: string): Promise<JournalStep | undefined>
  /** Steps of a run in the order they were recorded. */
  listSteps(runId: string): Promise<JournalStep[]>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
