import { isDeepStrictEqual } from 'node:util'
import type { MemoryRecord } from './memory-record.ts'
import type { RecordFilter } from './memory-store.ts'

/** What filters look at of a record. */
export type RecordTraits = Pick<
  MemoryRecord,
  'documentId' | 'kind' | 'role' | 'createdAt' | 'pinned' | 'expiresAt' | 'validFrom' | 'validTo' | 'supersededBy' | 'metadata'
>

/** Whether a record is meant. */
export type RecordTest = (record: RecordTraits) => boolean

/**
 * What a filter asks of the records of its scope: the one meaning that every store gives to it. Undefined when it asks for nothing but the
 * scope.
 */
export function createRecordTest(filter: RecordFilter): RecordTest | undefined {
  const tests = [
    among(filter.documentIds, (record) => record.documentId),
    among(filter.kinds, (record) => record.kind ?? 'passage'),
    among(filter.roles, (record) => record.role),
    createTimeTest(filter),
    createValidityTest(filter.validAt),
    createMetadataTest(filter.metadata),
    createExpiryTest(filter.now),
  ].filter((test) => test !== undefined)
  return tests.length === 0 ? undefined : (record) => tests.every((test) => test(record))
}

/** Whether a record has ceased to be found. A pinned one never does. */
export function isExpired(record: Pick<MemoryRecord, 'expiresAt' | 'pinned'>, now: number): boolean {
  return record.expiresAt !== undefined && record.expiresAt <= now && !record.pinned
}

function among<T>(values: readonly T[] | undefined, read: (record: RecordTraits) => T | undefined): RecordTest | undefined {
  if (!values) return undefined
  const allowed = new Set<T | undefined>(values)
  return (record) => allowed.has(read(record))
}

function createTimeTest({ from, until }: RecordFilter): RecordTest | undefined {
  if (from === undefined && until === undefined) return undefined
  const [least, end] = [from ?? -Infinity, until ?? Infinity]
  return ({ createdAt }) => createdAt !== undefined && createdAt >= least && createdAt < end
}

/** A superseded fact without an end is true at no time: it is unknown when it ceased to be. */
function createValidityTest(at: number | undefined): RecordTest | undefined {
  if (at === undefined) return undefined
  return ({ validFrom = -Infinity, validTo, supersededBy }) => {
    const end = validTo ?? (supersededBy === undefined ? Infinity : -Infinity)
    return validFrom <= at && at < end
  }
}

function createMetadataTest(fields: RecordFilter['metadata']): RecordTest | undefined {
  const wanted = Object.entries(fields ?? {})
  if (wanted.length === 0) return undefined
  return ({ metadata = {} }) =>
    wanted.every(([field, value]) => Object.hasOwn(metadata, field) && isDeepStrictEqual(metadata[field], value))
}

function createExpiryTest(now: number | undefined): RecordTest | undefined {
  return now === undefined ? undefined : (record) => !isExpired(record, now)
}
