import type { MemoryRecord } from './memory-record.ts'
import type { MemoryStore } from './memory-store.ts'

/** Records, or documents, read together. */
const PAGE = 256

export interface AllRecordsOptions {
  /** Only of these documents and conversations; all of the scope by default. */
  readonly documentIds?: readonly string[]
  readonly signal?: AbortSignal
}

/** The records of a scope, document by document and in their order, read page by page. */
export async function* allRecords(store: MemoryStore, scope: string, options: AllRecordsOptions = {}): AsyncGenerator<MemoryRecord> {
  const { documentIds, signal } = options
  for await (const documentId of documentIds ?? documentIdsOf(store, scope)) {
    let from = 0
    for (;;) {
      signal?.throwIfAborted()
      const page = await store.list(scope, documentId, { from, limit: PAGE })
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) break
      from = last.index + 1
    }
  }
}

async function* documentIdsOf(store: MemoryStore, scope: string): AsyncGenerator<string> {
  let after: string | undefined
  for (;;) {
    const page = await store.documents(scope, PAGE, after)
    for (const { documentId } of page) yield documentId
    after = page.at(-1)?.documentId
    if (after === undefined || page.length < PAGE) return
  }
}
