import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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
/** Led by the number of the process that writes it. */
const temporaryName = /\.(\d+)\.tmp(?:\.json)?$/

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

/** Deletes the index file, its description, and what was written for either and not yet put in place. */
export function deleteHnswFile(path: string): void {
  const temporary = filesStarting(`${path}.`).filter((name) => temporaryName.test(name))
  for (const file of [path, sidecarOf(path), ...temporary]) rmSync(file, { force: true })
}

/** Paths of all files whose path starts so. */
export function filesStarting(start: string): string[] {
  const folder = dirname(start)
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(start)))
    .map((name) => join(folder, name))
}

/** Deletes what a process that was killed left half written. */
export function deleteLeftovers(files: readonly string[]): void {
  for (const file of files) {
    const writer = temporaryName.exec(file)?.[1]
    if (writer !== undefined && !isRunning(Number(writer))) rmSync(file, { force: true })
  }
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Greatest sequence number that the saved index has seen; undefined where none is saved. */
export function hnswFileLast(path: string): number | undefined {
  return readSidecar(sidecarOf(path))?.last
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
