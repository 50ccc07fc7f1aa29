import { DocumentError, MissingPackageError } from '../errors/index.ts'
import type { Document } from './document.ts'
import { findFiles } from './find-files.ts'
import { readDocument, type ReadDocumentOptions } from './read-document.ts'

/** A file that was read, or why it was not. */
export type ReadResult =
  | { readonly path: string; readonly document: Document }
  | { readonly path: string; readonly error: DocumentError | MissingPackageError }

/** Documents, and the files that could not be read. */
export interface ReadDocuments {
  readonly documents: readonly Document[]
  readonly failures: readonly Extract<ReadResult, { readonly error: unknown }>[]
}

export type ReadDocumentsOptions = Omit<ReadDocumentOptions, 'name'>

/**
 * Reads files, folders and globs one after another; a file that cannot be read is named, and the rest goes on. Nothing of a document is kept
 * here once it was given, so a corpus may be larger than memory.
 *
 * @throws DocumentError `empty` when a folder or a glob holds no file; the signal's reason
 */
export async function* readEach(sources: string | readonly string[], options: ReadDocumentsOptions = {}): AsyncGenerator<ReadResult> {
  for (const { path, name } of await findFiles(typeof sources === 'string' ? [sources] : sources)) {
    try {
      yield { path, document: await readDocument(path, { ...options, name }) }
    } catch (error) {
      if (!(error instanceof DocumentError) && !(error instanceof MissingPackageError)) throw error
      yield { path, error }
    }
  }
}

/** Reads files, folders and globs, as `readEach` does, and keeps all documents. */
export async function readDocuments(sources: string | readonly string[], options: ReadDocumentsOptions = {}): Promise<ReadDocuments> {
  const documents: Document[] = []
  const failures: Extract<ReadResult, { readonly error: unknown }>[] = []
  for await (const result of readEach(sources, options)) {
    if ('document' in result) documents.push(result.document)
    else failures.push(result)
  }
  return { documents, failures }
}
