import { createHash } from 'node:crypto'
import { type Document, documentFromBytes, passages } from '../../chunkers/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { JsonValue, MemoryRecord, MemoryStore, RangeOptions } from '../../memory/index.ts'
import { derivingJob } from './derive-jobs.ts'
import { DOCUMENT, documentKey, recordId } from './resource-ids.ts'
import { checkBacklog, type ServiceCore } from './service-core.ts'

/** A file as it was uploaded. Its name is a label: nothing is read from it. */
export interface GivenFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** Id of the document; made of the content when left out. */
  readonly id?: string | undefined
  readonly signal?: AbortSignal
}

/** A document as it is kept: its passages, with where they stand. */
export interface KeptDocument {
  readonly documentId: string
  readonly name: string
  readonly title: string | undefined
  /** SHA-256 of its text, hexadecimal. */
  readonly hash: string
  readonly passages: number
}

export interface UserDocuments {
  /**
   * Keeps the passages of a file; on the disk when it resolves, with vectors to follow. The same file again is given as it is.
   *
   * @throws DocumentError when it cannot be read; StoreError `conflict` when the id is there with another text
   */
  ingest(file: GivenFile): Promise<{ readonly document: KeptDocument; readonly isNew: boolean }>
  /** In order of id, behind `after`. */
  list(limit: number, after?: string): Promise<KeptDocument[]>
  get(documentId: string): Promise<KeptDocument | undefined>
  passages(documentId: string, range: RangeOptions): Promise<MemoryRecord[]>
}

/** Most bytes that a compressed file may become, and milliseconds that reading it may take. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024
const READ_TIMEOUT = 30_000

export function openUserDocuments(core: ServiceCore, memory: MemoryStore, scope: string): UserDocuments {
  async function get(documentId: string): Promise<KeptDocument | undefined> {
    const [last] = await memory.list(scope, documentKey(documentId), { limit: 1, newest: true })
    return last && keptDocument(documentId, last)
  }

  async function ingest({ name, bytes, id, signal }: GivenFile): ReturnType<UserDocuments['ingest']> {
    await checkBacklog(core)
    const options = { name, maxBytes: MAX_TEXT_BYTES, timeout: READ_TIMEOUT, ...(signal && { signal }) }
    const document = await documentFromBytes(bytes, options)
    const { hash } = document
    const documentId =
      id ??
      createHash('sha256')
        .update(JSON.stringify([name, hash]))
        .digest('hex')
        .slice(0, 32)
    const key = documentKey(documentId)
    return core.locks.shared(scope, async () => {
      const known = await get(documentId)
      if (known !== undefined && known.hash !== hash) {
        throw new StoreError(`Cannot keep the document as its id is there with another text: ${documentId}. Use another id`, {
          reason: 'conflict',
          store: 'memory',
        })
      }
      if (known === undefined) await memory.put(passageRecords(core, scope, key, document))
      await core.queue.add([derivingJob(scope, key)])
      return { document: known ?? ((await get(documentId)) as KeptDocument), isNew: known === undefined }
    })
  }

  return {
    ingest,
    get,
    async list(limit, after = '') {
      const found = await memory.documents(scope, limit, `${DOCUMENT}${after}`)
      const ids = found.flatMap(({ documentId }) => (documentId.startsWith(DOCUMENT) ? [documentId.slice(DOCUMENT.length)] : []))
      return (await Promise.all(ids.map(get))).filter((document) => document !== undefined)
    },
    passages: (documentId, range) => memory.list(scope, documentKey(documentId), range),
  }
}

/** What `get` shows of a document stands in each of its passages, so that it needs no table of its own and goes with them. */
function passageRecords({ count, now }: ServiceCore, scope: string, key: string, document: Document): MemoryRecord[] {
  const { name, title, hash } = document
  const createdAt = now()
  return passages(document, { count }).map(({ index, start, end, text, sections }) => {
    const { line, page, place } = document.locate(start)
    const metadata: Record<string, JsonValue> = {
      name,
      hash,
      line,
      sections,
      ...(title !== undefined && { title }),
      ...(page !== undefined && { page }),
      ...(place !== undefined && { place }),
    }
    const context = [title, ...sections].filter((part) => part !== undefined).join(' ')
    const id = recordId(key, String(index))
    return { id, scope, documentId: key, index, start, end, text, context, kind: 'passage', createdAt, tokens: count(text), metadata }
  })
}

function keptDocument(documentId: string, { index, metadata = {} }: MemoryRecord): KeptDocument {
  const { name, title, hash } = metadata
  return {
    documentId,
    name: typeof name === 'string' ? name : documentId,
    title: typeof title === 'string' ? title : undefined,
    hash: typeof hash === 'string' ? hash : '',
    passages: index + 1,
  }
}
