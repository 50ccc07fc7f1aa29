import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSet } from '../attention/index.ts'
import { type FileSource, openFileSource } from './file-source.ts'

/** The files of a model's folder. */
export interface FolderSource extends FileSet {
  open(name: string): Promise<FileSource | undefined>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens the file of a model, or the folder of one that has several (`config.json`, `tokenizer.json`, `*.safetensors`).
 *
 * @throws ModelFileError when the path leads to neither, or cannot be read
 */
export async function openModelSource(path: string): Promise<FileSource | FolderSource> {
  return (await isFolder(path)) ? openFolder(path) : openFileSource(path)
}

function openFolder(path: string): FolderSource {
  return {
    name: path,
    open: async (name) => ((await isFile(join(path, name))) ? openFileSource(join(path, name)) : undefined),
    // Files are closed by whoever opened them.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** What is there and no folder; one that cannot be read has its error when it is opened. */
async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isDirectory(),
    (cause: NodeJS.ErrnoException) => cause.code !== 'ENOENT',
  )
}
