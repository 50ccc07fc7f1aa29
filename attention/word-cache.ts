import { LRUCache } from 'lru-cache'

const mostWords = 20_000
/** Longer words hardly come twice. */
const longestWord = 64

/** `encode` with the ids of frequent words kept. */
export function keepWords(encode: (word: string) => readonly number[]): (word: string) => readonly number[] {
  const known = new LRUCache<string, readonly number[]>({ max: mostWords })
  return (word) => {
    if (word.length > longestWord) return encode(word)
    const found = known.get(word)
    if (found !== undefined) return found
    const ids = encode(word)
    known.set(word, ids)
    return ids
  }
}
