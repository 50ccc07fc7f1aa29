/** Looking for what was erased: in the bytes of files, and by search. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Erasable, ErasureTarget, MemoryStore } from '../memory/index.ts'
import { type ByteScan, formsOf, type Piece } from './byte-scan.ts'
import type { Journal } from './journal.ts'

export interface ErasureScan {
  readonly files: number
  readonly bytes: number
  /** Texts and vectors that were looked for, and those that are too short for that: they stand by chance where they do not belong. */
  readonly contents: number
  readonly tooShort: number
  /** Files that still hold some of it which nothing kept accounts for, with SHA-256 of those bytes in hexadecimal. */
  readonly found: readonly { readonly file: string; readonly hash: string }[]
}

export interface SearchProbe {
  readonly searches: number
  /** Results that were meant to be erased. */
  readonly found: number
}

/** Searches made for the texts that went: of many, some are enough, as the counts were all taken. */
const mostProbes = 100
/** Characters of a text that a search is made of. */
const probeLength = 1_000
const pageSize = 500

/** Scans the files of all holders. What is found there and also stands in what was kept is not of the erasure. */
export async function scanFiles(holders: readonly Erasable[], scan: ByteScan): Promise<ErasureScan> {
  const files = Array.from(new Set(holders.flatMap((holder) => holder.erasableFiles())))
  let bytes = 0
  let read = 0
  const found: { readonly file: string; readonly piece: Piece }[] = []
  for (const file of files) {
    const size = { bytes: 0 }
    const pieces = await scan.search(readBytes(file, size)).catch((error: NodeJS.ErrnoException) => {
      // The log of a database comes and goes.
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (!pieces) continue
    read++
    bytes += size.bytes
    for (const piece of pieces) found.push({ file, piece })
  }
  const kept = found.length === 0 ? new Set<Piece>() : await scan.search(keptBytes(holders))
  return {
    files: read,
    bytes,
    contents: scan.contents,
    tooShort: scan.tooShort,
    found: found
      .filter(({ piece }) => !kept.has(piece))
      .map(({ file, piece }) => ({ file, hash: createHash('sha256').update(piece.bytes).digest('hex') })),
  }
}

/** Searches the stores for texts that went, within their scope. */
export async function probeSearches(holders: readonly Erasable[], target: ErasureTarget, texts: readonly string[]): Promise<SearchProbe> {
  const { scope, documentIds, ids } = target
  const step = Math.max(1, Math.ceil(texts.length / mostProbes))
  const probes = texts.filter((_, index) => index % step === 0)
  let [searches, found] = [0, 0]
  for (const holder of holders) {
    if (!isMemoryStore(holder)) continue
    for (const text of probes) {
      const hits = await holder.search({ scope, text: text.slice(0, probeLength), k: 10, fusion: 'words' })
      searches++
      const isMeant = ({ documentId, id }: { documentId: string; id: string }): boolean =>
        (!documentIds && !ids) || documentIds?.includes(documentId) === true || ids?.includes(id) === true
      found += hits.filter(({ record }) => isMeant(record)).length
    }
  }
  return { searches, found }
}

/** Texts that a search can be made of are kept apart from bytes. */
export async function collectContent(holders: readonly Erasable[], target: ErasureTarget, scan: ByteScan): Promise<string[]> {
  const texts: string[] = []
  for (const holder of holders) {
    for await (const content of holder.erasableContent(target)) {
      scan.add(content)
      if (typeof content === 'string' && isMemoryStore(holder)) texts.push(content)
    }
  }
  return texts
}

async function* readBytes(file: string, size: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    size.bytes += (part as Buffer).length
    yield part as Buffer
  }
}

/** Everything that the stores and journals still hold, in all forms that it may lie in. */
async function* keptBytes(holders: readonly Erasable[]): AsyncGenerator<Uint8Array> {
  for (const holder of holders) {
    if (isMemoryStore(holder)) for await (const content of recordsOf(holder)) yield* formsOf(content)
    if (isJournal(holder)) for await (const json of journalOf(holder)) yield Buffer.from(json)
  }
}

async function* recordsOf(store: MemoryStore): AsyncGenerator<string | Uint8Array> {
  for await (const scope of pages(
    (after) => store.scopes(pageSize, after),
    (name) => name,
  )) {
    for await (const { documentId } of pages(
      (after) => store.documents(scope, pageSize, after),
      (document) => document.documentId,
    )) {
      for (const { text, summary, context, vector } of await store.list(scope, documentId)) {
        for (const part of [text, summary, context]) if (part !== undefined) yield part
        if (vector) yield new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
      }
    }
  }
}

async function* journalOf(journal: Journal): AsyncGenerator<string> {
  for (const run of await journal.listRuns()) {
    yield JSON.stringify(run)
    for (const step of await journal.listSteps(run.id)) yield JSON.stringify(step)
  }
}

async function* pages<T>(read: (after: string | undefined) => Promise<T[]>, nameOf: (item: T) => string): AsyncGenerator<T> {
  for (let page = await read(undefined); page.length > 0; page = await read(nameOf(page.at(-1) as T))) yield* page
}

function isMemoryStore(holder: Erasable): holder is MemoryStore {
  return 'search' in holder && 'scopes' in holder && 'documents' in holder
}

function isJournal(holder: Erasable): holder is Journal {
  return 'listRuns' in holder && 'listSteps' in holder
}
