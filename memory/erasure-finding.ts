import type { ErasureFinding, ErasureTarget } from './erasable.ts'
import { hashErasable } from './hash-erasable.ts'
import type { MemoryRecord } from './memory-record.ts'
import { encodeVector } from './vector-bytes.ts'

/** What a store has of a target, as `Erasable` reports it. */
export function describeErasure(records: Iterable<MemoryRecord>): ErasureFinding {
  const counts = { passages: 0, turns: 0, facts: 0, summaries: 0, vectors: 0 }
  function* entries(): Generator<readonly [string, string]> {
    for (const { id, text, kind = 'passage', summary, vector } of records) {
      counts[`${kind}s`]++
      if (summary !== undefined) counts.summaries++
      if (vector) counts.vectors++
      yield [id, text]
    }
  }
  const hash = hashErasable(entries())
  return { holder: 'memory', counts, hash }
}

/** What must be in no file afterwards. */
export function* erasedContent(records: Iterable<MemoryRecord>): Generator<string | Uint8Array> {
  for (const { text, summary, context, vector } of records) {
    for (const part of [text, summary, context]) if (part) yield part
    if (vector) yield encodeVector(vector)
  }
}

/** Whether a record itself is meant by a target: what was drawn from it comes besides. */
export function isTarget({ id, documentId }: Pick<MemoryRecord, 'id' | 'documentId'>, { documentIds, ids }: ErasureTarget): boolean {
  return (!documentIds && !ids) || Boolean(documentIds?.includes(documentId)) || Boolean(ids?.includes(id))
}
