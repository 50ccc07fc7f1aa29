import { referencesOf } from './references.ts'

/** A contradiction that notes tell of. */
export interface Conflict {
  readonly text: string
  /** Ids of the quotations that contradict each other. */
  readonly quoteIds: readonly string[]
}

const LABEL = /^[\s*_-]*conflicts?[*_]*\s*:\s*/i

/** The contradictions that notes name in lines of their own, `CONFLICT: …`. */
export function conflictsOf(notes: string): Conflict[] {
  return notes
    .split('\n')
    .filter((line) => LABEL.test(line))
    .map((line) => line.replace(LABEL, '').trim())
    .filter((text) => /[\p{L}\p{N}]/u.test(text) && !/^(?:none|no conflicts?|nothing)\W*$/i.test(text))
    .map((text) => ({ text, quoteIds: referencesOf(text) }))
}
