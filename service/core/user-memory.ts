import type { DocumentSummary, MemoryHit, MemoryStore, RecordKind } from '../../memory/index.ts'
import type { Job, JobListOptions } from '../../workflows/index.ts'
import { type Owner, scopeOf } from './owner.ts'
import { DOCUMENT, documentKey, THREAD, threadKey } from './resource-ids.ts'
import { scopedStore } from './scoped-store.ts'
import type { ServiceCore } from './service-core.ts'
import { openThread, type ThreadMemory } from './thread-memory.ts'
import { openUserDocuments, type UserDocuments } from './user-documents.ts'
import { openUserErasure, type UserErasure } from './user-erasure.ts'
import { openUserFacts, type UserFacts } from './user-facts.ts'
import { openUserTransfer, type UserTransfer } from './user-transfer.ts'

export interface SearchOptions {
  /** Most results. */
  readonly k: number
  readonly kinds?: readonly RecordKind[] | undefined
  /** Only in these threads and documents, where either is given. */
  readonly threads?: readonly string[] | undefined
  readonly documents?: readonly string[] | undefined
  /** Written at or after, and before; milliseconds since 1970. */
  readonly from?: number | undefined
  readonly until?: number | undefined
  readonly signal?: AbortSignal
}

export interface UserStatistics {
  readonly threads: number
  readonly turns: number
  readonly documents: number
  readonly passages: number
  readonly facts: number
}

/** All that one user's callers may reach: what is not here cannot be asked for. */
export interface UserMemory {
  readonly owner: Owner
  thread(threadId: string): ThreadMemory
  /** Threads in order of id, behind `after`. */
  threads(limit: number, after?: string): Promise<DocumentSummary[]>
  search(text: string, options: SearchOptions): Promise<MemoryHit[]>
  jobs(options: JobListOptions): Promise<Job[]>
  statistics(): Promise<UserStatistics>
  readonly documents: UserDocuments
  readonly facts: UserFacts
  readonly transfer: UserTransfer
  readonly erasure: UserErasure
}

export function openUser(core: ServiceCore, owner: Owner): UserMemory {
  const scope = scopeOf(owner)
  const memory = scopedStore(core.memory, scope)
  return {
    owner,
    thread: (threadId) => openThread(core, owner, threadId),
    threads: (limit, after) => listThreads(memory, scope, limit, after),
    search: (text, options) => search(core, memory, scope, text, options),
    jobs: (options) => core.queue.list(scope, options),
    statistics: () => count(memory, scope),
    documents: openUserDocuments(core, memory, scope),
    facts: openUserFacts(core, memory, scope),
    transfer: openUserTransfer(core, memory, scope),
    erasure: openUserErasure(core, scope),
  }
}

/** Threads with the ids that callers know them by. */
async function listThreads(memory: MemoryStore, scope: string, limit: number, after = ''): Promise<DocumentSummary[]> {
  const found = await memory.documents(scope, limit, threadKey(after))
  return found.flatMap(({ documentId, records, lastAt }) =>
    documentId.startsWith(THREAD) ? [{ documentId: documentId.slice(THREAD.length), records, lastAt }] : [],
  )
}

async function search(
  { embedder, now }: ServiceCore,
  memory: MemoryStore,
  scope: string,
  text: string,
  { k, kinds, threads, documents, from, until, signal }: SearchOptions,
): Promise<MemoryHit[]> {
  const [vector] = (await embedder?.embed([text], signal ? { signal } : {})) ?? []
  const within = threads || documents ? [...(threads ?? []).map(threadKey), ...(documents ?? []).map(documentKey)] : undefined
  return memory.search({
    scope,
    text,
    k,
    now: now(),
    ...(vector && { vector }),
    ...(kinds && { kinds }),
    ...(within && { documentIds: within }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(signal && { signal }),
  })
}

const PAGE = 500

async function count(memory: MemoryStore, scope: string): Promise<UserStatistics> {
  const sums = { threads: 0, turns: 0, documents: 0, passages: 0, facts: 0 }
  let after: string | undefined
  for (;;) {
    const page = await memory.documents(scope, PAGE, after)
    for (const { documentId, records } of page) {
      if (documentId.startsWith(THREAD)) {
        sums.threads++
        sums.turns += records
      } else if (documentId.startsWith(DOCUMENT)) {
        sums.documents++
        sums.passages += records
      } else sums.facts += records
    }
    after = page.at(-1)?.documentId
    if (page.length < PAGE) return sums
  }
}
