import { createHash } from 'node:crypto'
import type { MemoryRecord, MemoryStore, NewTurn } from '../memory/index.ts'
import type { MemoryScope } from './memory-scope.ts'
import type { MessageTurn } from './message-turns.ts'

export interface RememberOptions {
  readonly memory: MemoryStore
  readonly count: (text: string) => number
  readonly now: () => number
}

/**
 * Appends the turns that the store lacks and gives them. Turns are known by their messages' ids, which a checkpointer keeps; where the whole conversation is
 * sent anew with each call its ids are new, too, so turns are known again by what they say: the longest end of what is stored that the turns begin with.
 */
export async function rememberTurns(
  turns: readonly MessageTurn[],
  { user, thread }: MemoryScope,
  { memory, count, now }: RememberOptions,
): Promise<MemoryRecord[]> {
  const fresh = turns.slice(await knownTurns(turns, memory, user, thread))
  if (fresh.length === 0) return []
  const createdAt = now()
  const records = await Promise.all(
    fresh.map(async ({ role, text, ...turn }, at): Promise<NewTurn> => {
      return {
        id: await freeId(memory, user, turn.id ?? hashOf([thread, createdAt, at, role, text]), text),
        role,
        text,
        kind: 'turn',
        createdAt,
        tokens: count(text),
      }
    }),
  )
  return memory.append(user, thread, records)
}

/** How many turns from the first on are stored. */
async function knownTurns(turns: readonly MessageTurn[], memory: MemoryStore, user: string, thread: string): Promise<number> {
  for (let at = turns.length - 1; at >= 0; at--) {
    const turn = turns[at] as MessageTurn
    const known = turn.id === undefined ? undefined : await memory.get(user, turn.id)
    if (known?.documentId === thread && known.text === turn.text) return at + 1
  }
  const stored = await newestTurns(memory, user, thread, turns.length)
  for (let length = stored.length; length > 0; length--) {
    const end = stored.slice(-length)
    if (end.every(({ role, text }, at) => turns[at]?.role === role && turns[at]?.text === text)) return length
  }
  return 0
}

/** The newest turns of a conversation, at most `limit`, in order; facts may stand between them. */
export async function newestTurns(memory: MemoryStore, user: string, thread: string, limit: number): Promise<MemoryRecord[]> {
  for (let looked = limit; ; looked *= 2) {
    const records = await memory.list(user, thread, { limit: looked, newest: true })
    const turns = records.filter(({ kind }) => kind === 'turn')
    if (turns.length >= limit || records.length < looked) return turns.slice(-limit)
  }
}

/** A message that was edited keeps its id, but what it said before stays remembered. */
async function freeId(memory: MemoryStore, user: string, id: string, text: string): Promise<string> {
  const taken = await memory.get(user, id)
  return taken === undefined ? id : `${id}~${hashOf([taken.documentId, text])}`
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
