import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StoreError } from '../errors/index.ts'
import { exportMemory, type FileMemoryStore, importMemory, type MemoryStore, openMemory, openPostgresMemory } from '../memory/index.ts'
import type { ExportFlags, MemoryFlags, RestoreFlags } from './memory-flags.ts'
import { count, number } from './print-answer.ts'
import { indexFile, isThere } from './store.ts'
import { printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

export async function showStatistics(file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<void> {
  await using store = await openFile(file, flags, terminal)
  const statistics = await store.statistics()
  if (flags.json === true) return void terminal.stdout.write(`${JSON.stringify(statistics)}\n`)
  const { scopes, records, vectors, summaries, recalls, bytes } = statistics
  const rows: readonly (readonly [string, string])[] = [
    ['Scopes', number(scopes)],
    ['Records', `${count(records.turn, 'turn')}, ${count(records.fact, 'fact')}, ${count(records.passage, 'passage')}`],
    ['Derived', `${count(vectors, 'vector')}, ${number(summaries)} summaries, ${count(recalls, 'recall')}`],
    ['Bytes', `${number(bytes.database)} of the database, ${number(bytes.log)} of its log, ${number(bytes.indexes)} of indexes`],
  ]
  terminal.stdout.write(rows.map(([name, value]) => `${name.padEnd(9)}${value}\n`).join(''))
}

/** Writes a line for each fault; gives whether there is none. */
export async function checkMemory(file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<boolean> {
  await using store = await openFile(file, flags, terminal)
  const faults = await store.verify()
  terminal.stdout.write(faults.length === 0 ? 'Nothing is wrong\n' : faults.map((fault) => `${printable(fault)}\n`).join(''))
  return faults.length === 0
}

export async function compactMemory(file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<void> {
  await using store = await openFile(file, flags, terminal)
  const { before, after } = await store.compact()
  terminal.stderr.write(`Compacted from ${number(before)} to ${number(after)} bytes\n`)
}

export async function rebuildMemory(file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<void> {
  await using store = await openFile(file, flags, terminal)
  await store.rebuild()
  terminal.stderr.write('Rebuilt the word index; vector indexes are built when they are next needed\n')
}

export async function backUp(copy: string, file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<void> {
  await using store = await openFile(file, flags, terminal)
  await store.backup(copy)
  terminal.stderr.write(`Wrote ${copy}\n`)
}

/** The copy is checked before it takes the place of the store, whose indexes and log go. */
export async function restore(copy: string, file: string | undefined, flags: RestoreFlags, terminal: Terminal): Promise<void> {
  const path = file ?? indexFile(flags, terminal)
  await mustBeThere(copy)
  if (flags.force !== true && (await isThere(path))) {
    throw new UsageError(`Cannot restore as there is a store already: ${path}. Add --force to replace it`)
  }
  const temporary = `${path}.restoring`
  try {
    await copyFile(copy, temporary)
    await checkCopy(temporary, copy)
    for (const old of await filesOf(path)) await rm(old)
    await rename(temporary, path)
  } finally {
    for (const left of await filesOf(temporary)) await rm(left)
  }
  terminal.stderr.write(`Restored ${path}\n`)
}

export async function exportRecords(file: string | undefined, flags: ExportFlags, terminal: Terminal): Promise<void> {
  await using store = await openAny(file, flags, terminal)
  const { scope, out, vectors } = flags
  const lines = exportMemory(store, { withoutVectors: !vectors, ...(scope === undefined ? {} : { scope }) })
  const text = Readable.from(withLineEnds(lines))
  if (out === undefined) for await (const line of text) terminal.stdout.write(line as string)
  else await pipeline(text, createWriteStream(out))
}

export async function importRecords(lines: string, file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<void> {
  await mustBeThere(lines)
  await using store = await openAny(file, flags, terminal, true)
  const imported = await importMemory(store, createInterface({ input: createReadStream(lines), crlfDelay: Infinity }))
  terminal.stderr.write(`Imported ${count(imported, 'record')}\n`)
}

/** A store in a file or, by its address, in PostgreSQL. @param isNew whether the file may be missing, and is made then */
export async function openAny(file: string | undefined, flags: MemoryFlags, terminal: Terminal, isNew = false): Promise<MemoryStore> {
  if (file !== undefined && isAddress(file)) return openPostgresMemory(file)
  const path = file ?? indexFile(flags, terminal)
  if (!isNew) await mustBeThere(path)
  return openMemory(path)
}

async function openFile(file: string | undefined, flags: MemoryFlags, terminal: Terminal): Promise<FileMemoryStore> {
  if (file !== undefined && isAddress(file)) {
    throw new UsageError("Cannot do this with a store in PostgreSQL as its server looks after it. Use the server's own tools")
  }
  const path = file ?? indexFile(flags, terminal)
  await mustBeThere(path)
  return openMemory(path)
}

function isAddress(file: string): boolean {
  return /^postgres(ql)?:\/\//.test(file)
}

async function mustBeThere(path: string): Promise<void> {
  if (!(await isThere(path)))
    throw new StoreError(`Cannot open a store as there is no such file: ${path}`, { reason: 'missing', store: path })
}

async function checkCopy(path: string, copy: string): Promise<void> {
  await using store = await openMemory(path)
  const [fault] = await store.verify()
  if (fault !== undefined)
    throw new StoreError(`Cannot restore as the copy is damaged (${fault}): ${copy}`, { reason: 'corrupt', store: copy })
}

/** The files of a store that are there: its database, log and indexes. */
async function filesOf(path: string): Promise<string[]> {
  const own = basename(path)
  const files = await readdir(dirname(path))
  const isOf = (name: string): boolean => name === own || /^-(wal|shm)$|^\.hnsw-\d+(\.json)?$/.test(name.slice(own.length))
  return files.filter((name) => name.startsWith(own) && isOf(name)).map((name) => join(dirname(path), name))
}

async function* withLineEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}
