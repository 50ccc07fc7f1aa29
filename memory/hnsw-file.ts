import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { HierarchicalNSW } from 'hnswlib-node'

/** What the sidecar says of a saved index: whose vectors, which, up to where. */
export interface HnswDescription {
  /** Identity of the database that it is derived from. */
  readonly identity: string
  readonly embedder: string | null
  readonly dimensions: number
  /** Greatest sequence number that it has seen. */
  readonly last: number
}

interface Sidecar extends HnswDescription {
  readonly format: 1
  /** Of the index file: a damaged file never reaches native code, which does not check what it reads. */
  readonly sha256: string
}

const sidecarOf = (path: string): string => `${path}.json`

/** The saved index's description, where the file is whole and belongs to this database; undefined otherwise. */
export async function checkHnswFile(path: string, expected: Omit<HnswDescription, 'last'>): Promise<HnswDescription | undefined> {
  const sidecar = readSidecar(sidecarOf(path))
  if (!sidecar || sidecar.format !== 1 || !existsSync(path)) return undefined
  const { identity, embedder, dimensions } = expected
  if (sidecar.identity !== identity || sidecar.embedder !== embedder || sidecar.dimensions !== dimensions) return undefined
  return (await hashFile(path)) === sidecar.sha256 ? sidecar : undefined
}

/** Writes both files beside their places first, so that a crash leaves the old pair or one that does not match, never half a file. */
export async function saveHnswFile(path: string, index: HierarchicalNSW, description: HnswDescription): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    index.writeIndexSync(temporary)
    const sidecar: Sidecar = { format: 1, ...description, sha256: await hashFile(temporary) }
    writeFileSync(`${temporary}.json`, JSON.stringify(sidecar))
    renameSync(temporary, path)
    renameSync(`${temporary}.json`, sidecarOf(path))
  } finally {
    rmSync(temporary, { force: true })
    rmSync(`${temporary}.json`, { force: true })
  }
}

export function deleteHnswFile(path: string): void {
  rmSync(path, { force: true })
  rmSync(sidecarOf(path), { force: true })
}

function readSidecar(path: string): Sidecar | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Sidecar
  } catch {
    return undefined
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return hash.digest('hex')
}
