/**
 * How the resources of the service are named in the store. A thread or document is a document of the store whose id says which of the two it is; a
 * turn or passage has an id that begins with its document's. So names that callers choose never meet.
 */
import { FACTS_DOCUMENT } from '../../memory/index.ts'

export const THREAD = 'thread:'
export const DOCUMENT = 'document:'

export function threadKey(threadId: string): string {
  return `${THREAD}${threadId}`
}

export function documentKey(documentId: string): string {
  return `${DOCUMENT}${documentId}`
}

/** Id of a record, from its thread's or document's key, which holds no slash, and its name there. */
export function recordId(key: string, name: string): string {
  return `${key}/${name}`
}

/** What a record is called within its thread or document. */
export function localId(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}

/** Where a record of the store stands, as the service names it. */
export type Place =
  | { readonly type: 'turn'; readonly thread: string; readonly turn: string }
  | { readonly type: 'passage'; readonly document: string; readonly passage: string }
  | { readonly type: 'fact'; readonly fact: string }

/** @param id of a record; one without a slash is a fact's */
export function placeOfRecord(id: string): Place {
  const slash = id.indexOf('/')
  const key = id.slice(0, Math.max(0, slash))
  if (key.startsWith(THREAD)) return { type: 'turn', thread: key.slice(THREAD.length), turn: localId(id) }
  if (key.startsWith(DOCUMENT)) return { type: 'passage', document: key.slice(DOCUMENT.length), passage: localId(id) }
  return { type: 'fact', fact: id }
}

/** The thread or document that a key of the store means. */
export function placeOfKey(key: string): { readonly thread?: string; readonly document?: string } {
  if (key.startsWith(THREAD)) return { thread: key.slice(THREAD.length) }
  return key.startsWith(DOCUMENT) ? { document: key.slice(DOCUMENT.length) } : {}
}

/** Whether a record of this id may lie in this document of the store. */
export function isOwnId(id: string, key: string): boolean {
  if (key === FACTS_DOCUMENT) return !id.includes('/')
  return (key.startsWith(THREAD) || key.startsWith(DOCUMENT)) && !key.includes('/') && id.startsWith(`${key}/`)
}
