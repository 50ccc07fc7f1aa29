import { exportMemory, importMemory, type MemoryStore } from '../../memory/index.ts'
import { derivingJob } from './derive-jobs.ts'
import { DOCUMENT, isOwnId, THREAD } from './resource-ids.ts'
import { checkBacklog, type ServiceCore } from './service-core.ts'

/** All of a user's memory as lines of JSON. */
export interface UserTransfer {
  /** Lines without line ends. */
  export(options: { readonly withoutVectors: boolean }): AsyncIterable<string>
  /**
   * Takes in exported lines, whoever's they were: they become this user's. Records of the same id are replaced. What came before a line that
   * cannot be read is kept.
   *
   * @throws ImportError for a line that cannot be read or belongs nowhere; StoreError `mismatch` for another format or embedder, `corrupt` for a line that is
   *   no JSON object
   */
  import(lines: AsyncIterable<string>): Promise<number>
}

/** An import holds what is no record of the service. */
export class ImportError extends Error {
  override readonly name = 'ImportError'

  /** @param what is wrong, such as `line 3 as it is no JSON` */
  constructor(what: string, options?: { readonly cause: unknown }) {
    super(`Cannot import ${what}`, options)
  }
}

export function openUserTransfer(core: ServiceCore, memory: MemoryStore, scope: string): UserTransfer {
  return {
    export: ({ withoutVectors }) => exportMemory(memory, { scope, withoutVectors }),
    async import(lines) {
      await checkBacklog(core)
      const keys = new Set<string>()
      return core.locks.shared(scope, async () => {
        try {
          return await importMemory(memory, owned(lines, scope, keys))
        } catch (error) {
          // The store refuses values that no record can have.
          if (error instanceof TypeError || error instanceof RangeError)
            throw new ImportError(`the records as one is none: ${error.message}`, { cause: error })
          throw error
        } finally {
          await core.queue.add([...keys].map((key) => derivingJob(scope, key)))
        }
      })
    },
  }
}

/** The lines with this scope in place of their own; notes the threads and documents that they are of. */
async function* owned(lines: AsyncIterable<string>, scope: string, keys: Set<string>): AsyncGenerator<string> {
  let number = 0
  for await (const line of lines) {
    number++
    if (number === 1 || line.trim() === '') {
      yield line
      continue
    }
    const record = parse(line, number)
    const { id, documentId } = record
    if (typeof id !== 'string' || typeof documentId !== 'string' || !isOwnId(id, documentId)) {
      throw new ImportError(`line ${number} as it is no turn of a thread, passage of a document or fact`)
    }
    if (documentId.startsWith(THREAD) || documentId.startsWith(DOCUMENT)) keys.add(documentId)
    yield JSON.stringify({ ...record, scope })
  }
}

function parse(line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new ImportError(`line ${number} as it is no JSON`, { cause })
  }
  throw new ImportError(`line ${number} as it is no JSON object`)
}
