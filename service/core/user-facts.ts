import { type Fact, factOf, FACTS_DOCUMENT, isCurrent, type MemoryRecord, type MemoryStore } from '../../memory/index.ts'
import { profile, setFact } from '../../workflows/index.ts'
import type { ServiceCore } from './service-core.ts'

export interface FactListOptions {
  readonly limit: number
  /** Only those behind this place in their order of arrival. */
  readonly after?: number | undefined
  /** Past ones too; false by default. */
  readonly past?: boolean | undefined
}

/** What is known of a user. */
export interface UserFacts {
  /** In order of arrival. */
  list(options: FactListOptions): Promise<MemoryRecord[]>
  get(id: string): Promise<MemoryRecord | undefined>
  /** Sets a fact as the user wants it; what is said later does not change it. */
  set(fact: Fact, options?: { readonly replaces?: string | undefined; readonly text?: string | undefined }): Promise<MemoryRecord>
  /** Takes a fact away; gives whether it was there. The turns that say so stay. */
  remove(id: string): Promise<boolean>
  /** The facts in force as plain text. */
  profile(): Promise<string>
}

/** Records read together when past ones are passed over. */
const PAGE = 200

export function openUserFacts(core: ServiceCore, memory: MemoryStore, scope: string): UserFacts {
  /** A job that reads the facts while they change would write what it no longer knows. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => core.queue.pause(scope, () => core.locks.shared(scope, work))

  async function get(id: string): Promise<MemoryRecord | undefined> {
    const record = await memory.get(scope, id)
    return record?.kind === 'fact' ? record : undefined
  }

  async function list({ limit, after = -1, past = false }: FactListOptions): Promise<MemoryRecord[]> {
    const found: MemoryRecord[] = []
    let from = after + 1
    for (;;) {
      const page = await memory.list(scope, FACTS_DOCUMENT, { from, limit: PAGE })
      found.push(...page.filter((record) => factOf(record) !== undefined && (past || isCurrent(record, core.now()))))
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE || found.length >= limit) return found.slice(0, limit)
      from = last.index + 1
    }
  }

  return {
    list,
    get,
    set: (fact, { replaces, text } = {}) =>
      alone(() =>
        setFact(memory, scope, fact, {
          now: core.now(),
          ...(core.embedder && { embedder: core.embedder }),
          ...(replaces !== undefined && { replaces }),
          ...(text !== undefined && { text }),
        }),
      ),
    remove: (id) => alone(async () => (await get(id)) !== undefined && (await memory.delete(scope, [id])) > 0),
    profile: () => profile(memory, scope, { now: core.now(), sources: false }),
  }
}
