/** Records as lines of JSON, to move them between stores of any kind. */
import { StoreError } from '../errors/index.ts'
import type { MemoryRecord } from './memory-record.ts'
import type { MemoryStore } from './memory-store.ts'
import { decodeVector, encodeVector } from './vector-bytes.ts'

const format = 'scriptorium-memory'
const version = 1
const pageSize = 500

export interface ExportOptions {
  /** Only this scope; all by default. */
  readonly scope?: string
  /** Leaves vectors out; false by default. */
  readonly withoutVectors?: boolean
}

/**
 * All records of a store, a line each after a first line that says the format: JSON without a line end, vectors as 32-bit floats in base64.
 * Not exported are counts of recalls and which documents are complete.
 */
export async function* exportMemory(store: MemoryStore, { scope, withoutVectors = false }: ExportOptions = {}): AsyncGenerator<string> {
  yield JSON.stringify({ format, version, embedder: withoutVectors ? undefined : store.embedderId })
  const scopes = scope === undefined ? names((after) => store.scopes(pageSize, after)) : [scope]
  for await (const name of scopes) {
    const documents = names(async (after) => (await store.documents(name, pageSize, after)).map(({ documentId }) => documentId))
    for await (const document of documents) {
      for await (const { vector, ...record } of records(store, name, document)) {
        const encoded = vector && !withoutVectors ? { vector: encodeVector(vector).toString('base64') } : {}
        yield JSON.stringify({ ...record, ...encoded })
      }
    }
  }
}

/**
 * Puts exported records into a store, replacing those of the same id, in batches; gives how many.
 *
 * @throws StoreError `mismatch` for lines of another format, a later version or another embedder's vectors, `corrupt` for a line that is no record
 */
export async function importMemory(store: MemoryStore, lines: AsyncIterable<string> | Iterable<string>): Promise<number> {
  let batch: MemoryRecord[] = []
  let line = 0
  let imported = 0
  for await (const json of lines) {
    line++
    if (line === 1) checkHeader(parse(json, line), store)
    else if (json.trim() !== '') batch.push(toRecord(parse(json, line)))
    if (batch.length < pageSize) continue
    await store.put(batch)
    imported += batch.length
    batch = []
  }
  if (line === 0) throw new StoreError('Cannot import records as there is no line', { reason: 'mismatch', store: 'import' })
  await store.put(batch)
  return imported + batch.length
}

async function* records(store: MemoryStore, scope: string, document: string): AsyncGenerator<MemoryRecord> {
  for (let from = 0; ;) {
    const page = await store.list(scope, document, { from, limit: pageSize })
    const last = page.at(-1)
    if (!last) return
    // Several records may share the last place of a page: they are read with it, and the next page begins behind them.
    const rest = page.length < pageSize ? [] : await store.list(scope, document, { from: last.index, until: last.index + 1 })
    yield* page.filter(({ index }) => rest.length === 0 || index < last.index)
    yield* rest
    if (page.length < pageSize) return
    from = last.index + 1
  }
}

async function* names(read: (after: string | undefined) => Promise<string[]>): AsyncGenerator<string> {
  for (let page = await read(undefined); page.length > 0; page = await read(page.at(-1))) yield* page
}

function parse(json: string, line: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The error below names the line.
  }
  throw new StoreError(`Cannot import records as line ${line} is no JSON object: ${JSON.stringify(json.slice(0, 40))}`, {
    reason: 'corrupt',
    store: 'import',
  })
}

function checkHeader(header: Readonly<Record<string, unknown>>, store: MemoryStore): void {
  if (header['format'] !== format || header['version'] !== version) {
    const found = JSON.stringify({ format: header['format'], version: header['version'] })
    throw new StoreError(`Cannot import records as their first line is not that of an export of version ${version}: ${found}`, {
      reason: 'mismatch',
      store: 'import',
    })
  }
  const embedder = header['embedder']
  if (typeof embedder !== 'string' || store.embedderId === undefined || embedder === store.embedderId) return
  throw new StoreError(
    `Cannot import records as their vectors are of another embedder than ${store.embedderId}: ${embedder}. Export them without vectors`,
    { reason: 'mismatch', store: 'import' },
  )
}

/** What the store checks is left to it. */
function toRecord({ vector, ...record }: Readonly<Record<string, unknown>>): MemoryRecord {
  const decoded = typeof vector === 'string' ? { vector: decodeVector(Buffer.from(vector, 'base64')) } : {}
  return { ...record, ...decoded } as unknown as MemoryRecord
}
