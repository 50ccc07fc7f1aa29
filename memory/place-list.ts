import type { MemoryRecord } from './memory-record.ts'
import type { RangeOptions } from './memory-store.ts'
import { compareText } from './rank-candidates.ts'

/** Holds a record. */
interface Holder {
  readonly record: MemoryRecord
}

/** What belongs to one document or conversation, in order of index and then of id. Adding at the end costs nothing. */
export interface PlaceList<T extends Holder> {
  add(holder: T): void
  remove(holder: T): void
  range(range?: RangeOptions): T[]
  /** Greatest index plus one. */
  next(): number
  readonly size: number
}

export function createPlaceList<T extends Holder>(): PlaceList<T> {
  const sorted: T[] = []

  /** How many come before this place. */
  function before(index: number, id: string): number {
    let [low, high] = [0, sorted.length]
    const last = sorted.at(-1)
    if (last && comparePlace(last.record, index, id) < 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      const { record } = sorted[middle] as T
      if (comparePlace(record, index, id) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  function range({ from = 0, until = Infinity, limit = Infinity, newest = false }: RangeOptions = {}): T[] {
    const start = before(from, '')
    const end = Math.max(start, before(until, ''))
    return newest ? sorted.slice(Math.max(start, end - limit), end) : sorted.slice(start, Math.min(end, start + limit))
  }

  return {
    add: (holder) => void sorted.splice(before(holder.record.index, holder.record.id), 0, holder),
    remove(holder) {
      const at = before(holder.record.index, holder.record.id)
      if (sorted[at] === holder) sorted.splice(at, 1)
    },
    range,
    next: () => (sorted.at(-1)?.record.index ?? -1) + 1,
    get size() {
      return sorted.length
    },
  }
}

function comparePlace(record: MemoryRecord, index: number, id: string): number {
  return record.index - index || compareText(record.id, id)
}
