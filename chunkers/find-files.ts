import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DocumentError } from '../errors/index.ts'
import { isUrl, urlName } from './fetch-bytes.ts'

/** A file to read. */
export interface FoundFile {
  readonly path: string
  /** What its document is called: the path below the folder that was named, or that a pattern begins with; else the file's name. */
  readonly name: string
}

/** Left out of folders: what is hidden, and what package managers put there. Name such a folder itself to read it. */
const IGNORED = ['**/node_modules/**']

/**
 * Finds the files that paths, folders and globs name, each once, those of a folder in the order of their names. A path that exists is never
 * taken for a glob; `-` and addresses of the web are passed on.
 *
 * @throws DocumentError `empty` when a folder or a glob holds no file
 */
export async function findFiles(sources: readonly string[]): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  for (const source of sources) for (const file of await filesOf(source)) if (!found.has(file.path)) found.set(file.path, file)
  return [...found.values()]
}

async function filesOf(source: string): Promise<FoundFile[]> {
  if (source === '-' || isUrl(source)) return [{ path: source, name: source === '-' ? 'stdin' : urlName(source) || source }]
  const status = await stat(source).catch(() => undefined)
  if (status?.isDirectory()) return listed(source, 'it is a directory without files', source, '**')
  if (status) return [{ path: source, name: basename(source) }]
  const { isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(source)) return [{ path: source, name: basename(source) }]
  return listed(source, 'no file matches it', ...partsOf(source))
}

/** The folder before the first part with a sign, and the pattern below it. */
function partsOf(pattern: string): [folder: string, pattern: string] {
  const parts = pattern.split('/')
  const first = parts.findIndex((part) => /[*?[\]{}()!]/.test(part))
  const folder = parts.slice(0, first).join('/')
  return [folder === '' && first > 0 ? '/' : folder || '.', parts.slice(first).join('/')]
}

async function listed(source: string, without: string, folder: string, pattern: string): Promise<FoundFile[]> {
  const { glob } = await import('tinyglobby')
  const paths = await glob(pattern, { cwd: folder, expandDirectories: false, ignore: IGNORED, followSymbolicLinks: false })
  const files = sorted(paths).map((path) => ({ path: join(folder, path), name: path }))
  const isRead = await Promise.all(files.map(({ path }) => isFileOrUnknown(path)))
  const kept = files.filter((_, at) => isRead[at])
  if (kept.length === 0) throw none(source, without)
  return kept
}

/** Pipes, sockets and devices are not read: they may never end. What cannot be looked at is named when it is read. */
async function isFileOrUnknown(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? true
}

function sorted(paths: readonly string[]): string[] {
  return paths.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function none(source: string, why: string): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: name a file, a folder or a pattern such as 'notes/**/*.md'`, {
    reason: 'empty',
    source,
  })
}
