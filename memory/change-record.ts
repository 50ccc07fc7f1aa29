import type { JsonValue, MemoryRecord, RecordChange } from './memory-record.ts'

/** A copy of its own, so that later changes by the caller do not reach the store; metadata as JSON keeps it, fields without a value left out. */
export function copyRecord(record: MemoryRecord): MemoryRecord {
  const { vector, metadata, sources } = record
  return withoutEmpty({
    ...record,
    ...(vector ? { vector: vector.slice() } : {}),
    ...(metadata ? { metadata: JSON.parse(JSON.stringify(metadata)) as Record<string, JsonValue> } : {}),
    ...(sources ? { sources: [...sources] } : {}),
  })
}

/** The record after a change of what is derived; `null` takes a field away. */
export function changeRecord(record: MemoryRecord, change: RecordChange): MemoryRecord {
  const defined = Object.entries(change).filter(([, value]) => value !== undefined)
  return copyRecord({ ...record, ...(Object.fromEntries(defined) as Partial<MemoryRecord>) })
}

/** Fields that are null or undefined are no fields; an empty list of sources and false are what a record without them says. */
function withoutEmpty(record: MemoryRecord): MemoryRecord {
  const entries = Object.entries(record as unknown as Record<string, unknown>)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null)) as unknown as MemoryRecord
}
