import type { MemoryRecord, RecordFilter } from '../memory/index.ts'

/** Which records of the scope are meant; the scope itself is no part of it. */
export type MemoryFilter = Omit<RecordFilter, 'scope'>

const fields: ReadonlySet<string> = new Set<keyof MemoryFilter>([
  'documentIds',
  'kinds',
  'roles',
  'from',
  'until',
  'validAt',
  'metadata',
  'now',
])

/**
 * The filter of a call within the filter of its store: what both ask for must hold.
 *
 * @throws TypeError when a field is unknown, so that a misspelt filter does not mean everything; a scope is refused by name
 */
export function joinFilters(base: MemoryFilter = {}, own: MemoryFilter = {}): MemoryFilter {
  const unknown = [...Object.keys(base), ...Object.keys(own)].find((field) => !fields.has(field))
  if (unknown === 'scope')
    throw new TypeError('Cannot filter by scope as it is fixed when the store is made: scope. Make a store for the other scope')
  if (unknown !== undefined) {
    throw new TypeError(`Cannot filter by an unknown field: ${unknown}. Put fields of metadata under "metadata"`)
  }
  return {
    ...base,
    ...own,
    ...both('documentIds', base.documentIds, own.documentIds),
    ...both('kinds', base.kinds, own.kinds),
    ...both('roles', base.roles, own.roles),
    ...(base.from !== undefined && { from: Math.max(base.from, own.from ?? base.from) }),
    ...(base.until !== undefined && { until: Math.min(base.until, own.until ?? base.until) }),
    // The store's own fields stand, whatever the call asks for.
    ...(base.metadata && { metadata: { ...own.metadata, ...base.metadata } }),
  }
}

function both<T>(name: string, base: readonly T[] | undefined, own: readonly T[] | undefined): Readonly<Record<string, readonly T[]>> {
  if (base === undefined || own === undefined) return {}
  return { [name]: own.filter((value) => base.includes(value)) }
}

/** What of a record becomes metadata of a document: its own, and for turns and facts where they come from. */
export function documentMetadata({ metadata, kind = 'passage', documentId, role, createdAt }: MemoryRecord): Record<string, unknown> {
  if (kind === 'passage') return { ...metadata }
  return { ...metadata, kind, documentId, ...(role !== undefined && { role }), ...(createdAt !== undefined && { createdAt }) }
}
