/** What is derived of threads and documents behind the writes: summaries, vectors, facts. */
import { FACTS_DOCUMENT, type MemoryStore } from '../../memory/index.ts'
import { deriveThread, type Job, type JobHandler, type NewJob } from '../../workflows/index.ts'
import { ownerOf } from './owner.ts'
import { DOCUMENT } from './resource-ids.ts'
import { scopedStore } from './scoped-store.ts'
import type { ServiceCore } from './service-core.ts'

const DERIVE_THREAD = 'derive-thread'
const EMBED_DOCUMENT = 'embed-document'

/** Scopes, documents or passages read together. */
const PAGE = 256
/** Passages embedded together. */
const BATCH = 32

/** The job that derives what a thread or document lacks. */
export function derivingJob(scope: string, key: string): NewJob {
  return { scope, key, name: key.startsWith(DOCUMENT) ? EMBED_DOCUMENT : DERIVE_THREAD }
}

export function deriveHandlers(core: ServiceCore): Readonly<Record<string, JobHandler>> {
  const inScope =
    (work: (memory: MemoryStore, job: Job, signal: AbortSignal) => Promise<void>): JobHandler =>
    (job, { signal }) =>
      core.locks.shared(job.scope, () => work(scopedStore(core.memory, job.scope), job, signal))
  return {
    [DERIVE_THREAD]: inScope((memory, job, signal) => runDeriveThread(core, memory, job, signal)),
    [EMBED_DOCUMENT]: inScope((memory, job, signal) => runEmbedDocument(core, memory, job, signal)),
  }
}

/**
 * Adds the jobs of whatever lacks them, as a crash may have come between a write and its job. What is complete says so in the store itself, so
 * that nothing else need be right.
 */
export async function findUnderived(core: ServiceCore, signal: AbortSignal): Promise<number> {
  let found = 0
  for await (const scope of pages(
    (after) => core.memory.scopes(PAGE, after),
    (name) => name,
  )) {
    if (ownerOf(scope) === undefined) continue
    const memory = scopedStore(core.memory, scope)
    for await (const { documentId } of pages(
      (after) => memory.documents(scope, PAGE, after),
      (document) => document.documentId,
    )) {
      signal.throwIfAborted()
      if (documentId === FACTS_DOCUMENT || (await isDerived(core, memory, scope, documentId))) continue
      await core.queue.add([derivingJob(scope, documentId)])
      found++
    }
  }
  return found
}

async function isDerived(core: ServiceCore, memory: MemoryStore, scope: string, key: string): Promise<boolean> {
  const [last] = await memory.list(scope, key, { limit: 1, newest: true })
  return last === undefined || memory.isComplete(scope, key, completeMark(core, last.index + 1))
}

/** Says that everything below an index is derived, and with what. */
function completeMark({ embedder, summary, extractor }: ServiceCore, next: number): string {
  return JSON.stringify(['derived', 1, embedder?.id, summary?.identity, extractor?.identity, next])
}

/** Goes on where everything before is known to be derived, else from the first turn. */
async function runDeriveThread(core: ServiceCore, memory: MemoryStore, { scope, key, from }: Job, signal: AbortSignal): Promise<void> {
  const { embedder, summary, extractor, count } = core
  if (await isDerived(core, memory, scope, key)) return
  const isContiguous = await memory.isComplete(scope, key, completeMark(core, from))
  const next = await deriveThread({
    memory,
    scope,
    threadId: key,
    from: isContiguous ? from : 0,
    embedder,
    summary,
    extractor,
    count,
    signal,
  })
  if (next > 0) await memory.markComplete(scope, key, completeMark(core, next))
}

async function runEmbedDocument(core: ServiceCore, memory: MemoryStore, { scope, key }: Job, signal: AbortSignal): Promise<void> {
  const { embedder } = core
  let next = 0
  for (;;) {
    signal.throwIfAborted()
    const passages = await memory.list(scope, key, { from: next, limit: BATCH })
    const last = passages.at(-1)
    if (last === undefined) break
    const open = passages.filter(({ vector }) => vector === undefined)
    const texts = open.map(({ text }) => text)
    const vectors = (await embedder?.embed(texts, { signal })) ?? []
    for (const [at, vector] of vectors.entries()) await memory.update(scope, (open[at] as { id: string }).id, { vector })
    next = last.index + 1
  }
  if (next > 0) await memory.markComplete(scope, key, completeMark(core, next))
}

async function* pages<T>(read: (after: string | undefined) => Promise<T[]>, nameOf: (item: T) => string): AsyncGenerator<T> {
  for (let page = await read(undefined); page.length > 0; page = await read(nameOf(page.at(-1) as T))) yield* page
}
