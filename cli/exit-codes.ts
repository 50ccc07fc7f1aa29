import {
  ContextOverflowError,
  DocumentError,
  MissingPackageError,
  ModelError,
  ModelFileError,
  RunError,
  StoreError,
} from '../errors/index.ts'
import type { AnswerStatus } from '../workflows/index.ts'
import { UsageError } from './usage-error.ts'

export const EXIT = {
  answered: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  incomplete: 4,
  document: 5,
  model: 6,
  store: 7,
  window: 8,
  interrupted: 130,
} as const

/** What each exit code means, for the help. */
export const exitCodeTable: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.answered, 'answered, or done'],
  [EXIT.unexpected, 'an unexpected error'],
  [EXIT.usage, 'a wrong flag, value or run'],
  [EXIT.notFound, 'everything was read and holds no answer'],
  [EXIT.incomplete, 'a partial answer, or stopped by a limit'],
  [EXIT.document, 'a document cannot be read'],
  [EXIT.model, 'a model cannot be used: its file, server or key'],
  [EXIT.store, 'the store cannot be used: read-only, full, damaged'],
  [EXIT.window, "the text or the question does not fit the model's window"],
  [EXIT.interrupted, 'interrupted'],
]

/** Packages that the store needs; the other optional packages serve models. */
const STORE_PACKAGES = new Set(['better-sqlite3', 'hnswlib-node', 'postgres'])

export function exitCodeOfStatus(status: AnswerStatus): number {
  if (status === 'answered') return EXIT.answered
  return status === 'not-found' ? EXIT.notFound : EXIT.incomplete
}

export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError || error instanceof RunError) return EXIT.usage
  if (error instanceof DocumentError) return EXIT.document
  if (error instanceof ModelError || error instanceof ModelFileError) return EXIT.model
  if (error instanceof StoreError) return EXIT.store
  if (error instanceof ContextOverflowError) return EXIT.window
  if (error instanceof MissingPackageError) return STORE_PACKAGES.has(error.packageName) ? EXIT.store : EXIT.model
  return EXIT.unexpected
}
