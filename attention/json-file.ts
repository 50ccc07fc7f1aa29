/** Files of JSON from a model's folder, whose values are not to be trusted. */
import { ModelFileError } from '../errors/index.ts'
import { shown } from './header-reader.ts'
import type { ByteSource, FileSet } from './runtime.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Largest file of JSON that is read: vocabularies of a quarter of a million tokens take some 35 MB. */
const mostBytes = 256 * 1024 ** 2

/**
 * The object in `name`; undefined when the folder has no such file.
 *
 * @throws ModelFileError when the file is too large, or holds no JSON object
 */
export async function readJson(files: FileSet, name: string): Promise<JsonObject | undefined> {
  const source = await files.open(name)
  if (source === undefined) return undefined
  try {
    return parseObject(source, await readText(source))
  } finally {
    await source.close?.()
  }
}

/** The text of a file in UTF-8. */
export async function readText(source: ByteSource): Promise<string> {
  if (source.size > mostBytes) throw folderError(source.name, `it is larger than ${mostBytes} bytes: ${source.size}`)
  return new TextDecoder().decode(await source.read(0, source.size))
}

/** `text` as an object. */
export function parseObject({ name }: { readonly name: string }, text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw folderError(name, 'it holds no JSON', cause)
  }
  if (isObject(value)) return value
  throw folderError(name, `it holds no JSON object: ${shown(value)}`)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An error about a file of a model's folder; `why` completes "Cannot read the model file ... as". */
export function folderError(name: string, why: string, cause?: unknown): ModelFileError {
  return new ModelFileError(`Cannot read the model file ${name} as ${why}. Check the folder, or fetch it again`, { file: name, cause })
}
