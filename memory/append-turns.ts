import { StoreError } from '../errors/index.ts'
import type { MemoryRecord } from './memory-record.ts'
import type { NewTurn } from './memory-store.ts'

/** What an append comes to. */
export interface Append {
  /** One record a turn, in their order: those that are there already and those to add. */
  readonly records: readonly MemoryRecord[]
  readonly added: readonly MemoryRecord[]
}

/**
 * Gives turns their places at the end of a conversation. To be called inside the transaction that adds them.
 *
 * @param held records of the scope with the ids of the turns
 * @param next place of the first turn to add
 * @throws StoreError `conflict` when an id is there with another text or in another conversation
 */
export function placeTurns(
  conversation: Pick<MemoryRecord, 'scope' | 'documentId'>,
  turns: readonly NewTurn[],
  held: ReadonlyMap<string, MemoryRecord>,
  next: number,
  store: string,
): Append {
  const known = new Map(held)
  const added: MemoryRecord[] = []
  const records = turns.map((turn) => {
    const old = known.get(turn.id)
    if (old) return checkSame(old, turn, conversation.documentId, store)
    const index = next + added.length
    const record: MemoryRecord = { kind: 'turn', ...turn, ...conversation, index, start: 0, end: turn.text.length }
    known.set(turn.id, record)
    added.push(record)
    return record
  })
  return { records, added }
}

function checkSame(old: MemoryRecord, turn: NewTurn, documentId: string, store: string): MemoryRecord {
  if (old.text === turn.text && old.documentId === documentId) return old
  const other = old.documentId === documentId ? 'another text' : `the conversation ${old.documentId}`
  throw new StoreError(`Cannot append a turn as its id is there already with ${other}: ${turn.id} in ${store}. Use another id`, {
    reason: 'conflict',
    store,
  })
}
