import { unzipSync } from 'fflate'
import { damaged, encrypted, messageOf, tooLarge } from './refusals.ts'

/** The files of an archive, inflated when asked for. */
export interface Archive {
  readonly names: readonly string[]
  has(name: string): boolean
  /**
   * Inflates the files that are wanted.
   *
   * @throws DocumentError `too-large` when they are larger together than the limit, before any is inflated
   */
  read(wanted: (name: string) => boolean): Map<string, Uint8Array>
  /** Bytes of a file, or undefined where there is none of that name. */
  file(name: string): Uint8Array | undefined
}

/** Most files of an archive; office files of many parts have some thousands. */
const MOST_FILES = 65_535

/**
 * Lists a ZIP archive by its directory. A file is never inflated beyond the size that the directory states, so a size that is stated too
 * small cuts the file, and none can grow beyond what was checked.
 *
 * @throws DocumentError `damaged`, `encrypted` or `too-large`
 */
export function openArchive(bytes: Uint8Array, { source, maxBytes }: { readonly source: string; readonly maxBytes: number }): Archive {
  if (isEncrypted(bytes)) throw encrypted(source, 'decrypt it first')
  const sizes = new Map<string, number>()
  attempt(source, () =>
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        sizes.set(name, originalSize)
        if (sizes.size > MOST_FILES) throw tooLarge(source, `its archive holds more than ${MOST_FILES} files`, 'Part it')
        return false
      },
    }),
  )
  const read = (wanted: (name: string) => boolean): Map<string, Uint8Array> => {
    let total = 0
    for (const [name, size] of sizes) if (wanted(name)) total += size
    if (total > maxBytes) {
      throw tooLarge(source, `its parts inflate to ${total} bytes, above the limit of ${maxBytes}`, 'Part it, or raise maxBytes')
    }
    return new Map(Object.entries(attempt(source, () => unzipSync(bytes, { filter: ({ name }) => wanted(name) }))))
  }
  return { names: [...sizes.keys()], has: (name) => sizes.has(name), read, file: (name) => read((other) => other === name).get(name) }
}

/** Bit 0 of the flags of the first local header (PKWARE APPNOTE 4.4.4). */
function isEncrypted(bytes: Uint8Array): boolean {
  return bytes.length > 7 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && (bytes[6]! & 1) === 1
}

function attempt<T>(source: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'DocumentError') throw cause
    throw damaged(source, `its archive is damaged or cut short (${messageOf(cause)})`, cause)
  }
}
