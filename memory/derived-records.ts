import type { MemoryRecord } from './memory-record.ts'

/** What a store knows of who was drawn from whom, within one scope. */
export interface SourceLookup {
  /** Ids and sources of the records that name this one as a source. */
  drawnFrom(id: string): readonly Pick<MemoryRecord, 'id' | 'sources'>[]
  has(id: string): boolean
}

/** The given ids that are there, and those of the records whose sources would then all be gone, and so on. */
export function withDerived(ids: Iterable<string>, lookup: SourceLookup): Set<string> {
  const gone = new Set(Array.from(ids).filter((id) => lookup.has(id)))
  // A set also visits what is added while it is read.
  for (const id of gone) {
    for (const { id: derived, sources = [] } of lookup.drawnFrom(id)) {
      if (sources.every((source) => source === derived || gone.has(source) || !lookup.has(source))) gone.add(derived)
    }
  }
  return gone
}
