/** The contract of what runs work behind the requests that caused it, on this machine or on many. */

/** Work to be done later. Doing it again must be harmless: after a crash a job that had begun is done again. */
export interface NewJob {
  /** What it is about, unique within its scope: jobs of one key become one while they wait. */
  readonly key: string
  /** Whose: jobs of one scope run one after the other. */
  readonly scope: string
  /** Which handler does it. */
  readonly name: string
  /** Where the work begins, such as the index of a turn; of jobs that become one, the least counts. 0 by default. */
  readonly from?: number
}

/** `failed`: given up after the last attempt; adding the job again tries it anew. */
export type JobState = 'waiting' | 'running' | 'done' | 'failed'

export interface Job extends Required<NewJob> {
  readonly state: JobState
  /** Attempts since it was added last that have failed. */
  readonly attempts: number
  /** Name of the last failure's error, and its reason where it has one. Its message may hold texts, and goes to the log alone. */
  readonly error: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Does a job; what it throws is a failed attempt. The signal aborts when the queue is to stop at once. */
export type JobHandler = (job: Job, context: { readonly signal: AbortSignal }) => Promise<void>

export interface JobListOptions {
  readonly states?: readonly JobState[]
  /** Only keys behind this one. */
  readonly after?: string
  /** Most jobs. */
  readonly limit: number
}

export interface JobQueue {
  /**
   * Adds jobs, all or none; they outlive the process when it resolves. One that waits already stays one; one whose like is running is run again after it.
   *
   * Whoever adds a job for what was just written may be killed between the two: it must find again, at its next start, what lacks its job.
   */
  add(jobs: readonly NewJob[]): Promise<void>
  get(scope: string, key: string): Promise<Job | undefined>
  /** Jobs of a scope in order of key. */
  list(scope: string, options: JobListOptions): Promise<Job[]>
  /** Jobs that wait or run, of all scopes. */
  backlog(): Promise<number>
  /** Forgets the jobs of these keys, or all of the scope, whatever their state; gives how many. */
  forget(scope: string, keys?: readonly string[]): Promise<number>
  /** Begins to run jobs, as they come. A handler that is missing leaves its jobs waiting. */
  start(handlers: Readonly<Record<string, JobHandler>>): void
  /** Runs `work` while no job of the scope runs, and lets none begin until it is over. */
  pause<T>(scope: string, work: () => Promise<T>): Promise<T>
  /** Resolves when no job runs or is due, but for those that are to be tried again later. */
  idle(): Promise<void>
  /** Begins no further job, waits for those that run, and closes. A signal that aborts meanwhile aborts those, to be done again at the next start. */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>
}
