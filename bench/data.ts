/** Evaluation data, read by path: none of it is part of the project. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { BenchSkipped } from './bench.ts'

/** A data file: its rows, and the hash that a report names. */
export interface DataSet<Row> {
  readonly rows: readonly Row[]
  /** SHA-256 of the file as it lies on disk. */
  readonly sha256: string
}

/**
 * Reads a gzip file of JSON lines.
 *
 * @param parse checks a row and gives it its type
 * @throws BenchSkipped when no folder was given or the file is not there
 */
export async function readData<Row>(folder: string | undefined, file: string, parse: (row: unknown) => Row): Promise<DataSet<Row>> {
  if (folder === undefined) throw new BenchSkipped(`it needs ${file}: pass --data DIR or set SCRIPTORIUM_DATA`)
  const path = join(folder, file)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new BenchSkipped(`it needs ${file}, which is not in ${folder}`) : error
  })
  const text = (await promisify(gunzip)(bytes)).toString('utf8')
  const rows = text.split('\n').filter((line) => line !== '')
  return { rows: rows.map((line) => parse(JSON.parse(line))), sha256: createHash('sha256').update(bytes).digest('hex') }
}
