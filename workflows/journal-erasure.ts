/** What an erasure takes of a journal, whichever journal it is. */
import { type ErasureFinding, type ErasureTarget, hashErasable } from '../memory/index.ts'
import type { JournalRun, JournalStep } from './journal.ts'

export interface JournalRecords {
  readonly runs: readonly JournalRun[]
  readonly steps: readonly JournalStep[]
}

/** Whether a run or a step is itself meant. A step that names no document may hold text of any of its scope. */
export function isErasable(record: JournalRun | JournalStep, { scope, documentIds, ids }: ErasureTarget): boolean {
  if (record.scope !== scope) return false
  if (!documentIds && !ids) return true
  const namesNone = record.documentIds.length === 0 && 'runId' in record
  return namesNone || record.documentIds.some((id) => documentIds?.includes(id))
}

export function describeErasable({ runs, steps }: JournalRecords): ErasureFinding {
  const entries = [
    ...runs.map((run) => [run.id, run.question, run.answer?.text]),
    ...steps.map(({ runId, path, output }) => [runId, path, output]),
  ]
  return { holder: 'journal', counts: { runs: runs.length, steps: steps.length }, hash: hashErasable(entries) }
}

/** What must be in no file afterwards. */
export function* erasableTexts({ runs, steps }: JournalRecords): Generator<string> {
  for (const { question, answer } of runs) {
    if (question !== undefined) yield question
    if (answer === undefined) continue
    yield answer.text
    for (const { quote } of answer.citations) yield quote
  }
  for (const { output } of steps) yield output
}
