/** The journal's record of one run: opened with its source, saved now and then while it goes on, and at its end. */
import { RunError } from '../errors/index.ts'
import type { Answer } from './answer.ts'
import type { Journal, JournalRun, RunStatus } from './journal.ts'
import type { Source } from './source.ts'

/** Milliseconds between two saves of a run under way. */
const SAVE_INTERVAL = 500

export interface RunRecordOptions {
  readonly id: string
  readonly journal: Journal
  readonly strategy: string
  readonly question: string | undefined
  /** Whether the run goes on with one that the journal knows. */
  readonly resumes: boolean
  readonly startedAt: number
  readonly now: () => number
  /** Persisted snapshots of the run's machines. */
  snapshot(): string
}

export interface RunRecord {
  /**
   * @throws RunError when the run to resume is not known, or was started with something else
   */
  open(source: Source): Promise<void>
  save(status: RunStatus, answer?: Answer): Promise<void>
  /** Saves unless that was done a moment ago; a failure is given to `onError`. */
  saveSoon(status: RunStatus, onError: (error: unknown) => void): void
}

export function createRunRecord(options: RunRecordOptions): RunRecord {
  const { id, journal, now, startedAt } = options
  let record: JournalRun | undefined
  let savedAt = 0
  async function save(status: RunStatus, answer?: Answer): Promise<void> {
    if (record) await journal.putRun({ ...record, status, answer, snapshot: options.snapshot(), updatedAt: now() })
  }
  return {
    async open(source) {
      const fresh = recordOf(options, source)
      const known = options.resumes ? await journal.getRun(id) : undefined
      if (options.resumes) checkResume(known, fresh)
      record = { ...fresh, createdAt: known?.createdAt ?? startedAt }
      await journal.putRun(record)
    },
    save,
    saveSoon(status, onError) {
      if (now() - savedAt < SAVE_INTERVAL) return
      savedAt = now()
      save(status).catch(onError)
    },
  }
}

function recordOf({ id, strategy, question, startedAt, now, snapshot }: RunRecordOptions, source: Source): JournalRun {
  return {
    id,
    scope: source.scope,
    status: 'running',
    strategy,
    question,
    sources: source.documents.map(({ name }) => name),
    documentIds: source.documents.map((document) => document.id),
    snapshot: snapshot(),
    answer: undefined,
    createdAt: startedAt,
    updatedAt: now(),
  }
}

function checkResume(known: JournalRun | undefined, now: JournalRun): void {
  const { id: runId } = now
  if (!known) throw new RunError(`Cannot resume run ${runId} as the journal does not know it. List runs with: scriptorium runs`, { runId })
  const different = [
    known.strategy === now.strategy ? undefined : `strategy ${known.strategy}, not ${now.strategy}`,
    known.question === now.question ? undefined : `question ${JSON.stringify(known.question)}, not ${JSON.stringify(now.question)}`,
    known.documentIds.join() === now.documentIds.join() ? undefined : 'other documents',
  ].filter((part) => part !== undefined)
  if (different.length > 0) throw new RunError(`Cannot resume run ${runId} as it was started with ${different.join(' and ')}`, { runId })
}
