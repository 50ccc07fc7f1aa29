/** Scores many texts, each under its own condition, on one decoder. */
import type { Decoder, KVCache, ObserveOptions } from '../attention/index.ts'
import type { CallContext, ScoreItem } from './local-protocol.ts'

/** Tokens scored between two looks at the queue, and fewest items: as many as go through the model together. */
const tokensPerTurn = 512
const itemsPerTurn = 16

/** A start of this many tokens is worth a cache of its own. */
const worthSharing = 4

/** Looks on while items are scored. */
export interface ScoreWatch {
  /** Told of the next items that go through the model side by side, and of how many tokens come before their prefixes; what it gives is shown their queries. */
  begin(items: readonly ScoreItem[], start: number): ObserveOptions
}

/** Consecutive items, all of which begin with the same `shared` tokens. */
export interface ScoreGroup {
  readonly items: ScoreItem[]
  shared: number
}

/**
 * log P of each token of each item's text, given its prefix and the tokens before it. Items beside each other that begin alike are computed on one cache, and go through the
 * model side by side.
 *
 * @param after what comes before every prefix, which may then be empty; it is not changed
 */
export async function scoreItems(
  decoder: Decoder,
  items: readonly ScoreItem[],
  { signal, progress, giveWay }: Pick<CallContext, 'signal' | 'progress' | 'giveWay'>,
  after?: KVCache,
  watch?: ScoreWatch,
): Promise<Float32Array[]> {
  const scores: Float32Array[] = []
  // A fork of its own, as the cache may be freed when another call has its turn.
  using start = after?.fork()
  for (const group of groupItems(items, 0)) {
    using cache = start?.fork() ?? decoder.createCache()
    const shared = group.items[0]?.prefix.slice(0, group.shared) ?? []
    if (shared.length > 0) await decoder.prefill(shared, cache, { signal })
    for (const slice of turnsOf(group)) {
      const found = await decoder.logProbs(
        cache,
        slice.map((item) => continuation(item, group.shared)),
        { signal, ...(watch && { observe: watch.begin(slice, start?.length ?? 0) }) },
      )
      scores.push(...found)
      progress(scores.length / items.length)
      await giveWay()
    }
  }
  return scores
}

/** The items of a group, in turns. */
function turnsOf({ items, shared }: ScoreGroup): ScoreItem[][] {
  const turns: ScoreItem[][] = []
  let room = 0
  for (const item of items) {
    const size = item.prefix.length - shared + item.text.length
    if (turns.length === 0 || (room < size && (turns.at(-1)?.length ?? 0) >= itemsPerTurn)) {
      turns.push([])
      room = tokensPerTurn
    }
    turns.at(-1)?.push(item)
    room -= size
  }
  return turns
}

function continuation({ prefix, text }: ScoreItem, shared: number): { readonly ids: number[]; readonly from: number } {
  return { ids: [...prefix.slice(shared), ...text], from: prefix.length - shared }
}

/**
 * Puts items together while they begin alike. A common start worth a cache is not given up for the sake of one more item; below that, any
 * common token will do, as the gain is then in running side by side.
 *
 * @param least fewest tokens that the items of a group must have in common: 0 where something else comes before all of them
 */
export function groupItems(items: readonly ScoreItem[], least = 1): ScoreGroup[] {
  const groups: ScoreGroup[] = []
  for (const item of items) {
    const group = groups.at(-1)
    const first = group?.items[0]
    const shared = first === undefined ? 0 : commonStart(first.prefix, item.prefix, group?.shared ?? 0)
    const loses = group !== undefined && group.items.length > 1 && group.shared >= worthSharing && shared < worthSharing
    if (group === undefined || shared < least || loses) groups.push({ items: [item], shared: item.prefix.length })
    else {
      group.items.push(item)
      group.shared = shared
    }
  }
  return groups
}

function commonStart(left: readonly number[], right: readonly number[], most: number): number {
  let length = 0
  while (length < most && length < right.length && left[length] === right[length]) length++
  return length
}
