import { factOf, FACTS_DOCUMENT, isCurrent, type MemoryRecord, type MemoryStore } from '../memory/index.ts'

export interface ProfileOptions {
  /** The current time, milliseconds since 1970; `Date.now()` by default. */
  readonly now?: number
  /** Names the turns that each fact rests on; true by default. */
  readonly sources?: boolean
}

/** The facts of a scope that are in force, in order of arrival. */
export async function currentFacts(memory: MemoryStore, scope: string, options: Pick<ProfileOptions, 'now'> = {}): Promise<MemoryRecord[]> {
  const { now = Date.now() } = options
  const facts = await memory.list(scope, FACTS_DOCUMENT)
  return facts.filter((record) => isCurrent(record, now))
}

/**
 * What is known of a user as plain text, one fact a line, those about the user first and then those about each of their people, with the
 * turns that say so. Empty where nothing is known. To be read by people, and by models in a prompt.
 */
export async function profile(memory: MemoryStore, scope: string, options: ProfileOptions = {}): Promise<string> {
  const { sources = true } = options
  const facts = await currentFacts(memory, scope, options)
  const subjects = new Map<string, MemoryRecord[]>([['user', []]])
  for (const record of facts) {
    const subject = factOf(record)?.subject ?? 'user'
    subjects.set(subject, [...(subjects.get(subject) ?? []), record])
  }
  return [...subjects.values()]
    .flat()
    .map((record) => `- ${record.text}${sources ? sourcesOf(record) : ''}`)
    .join('\n')
}

function sourcesOf({ sources = [], pinned = false }: MemoryRecord): string {
  const named = [...(pinned ? ['set by the user'] : []), ...sources]
  return named.length === 0 ? '' : ` [${named.join(', ')}]`
}
