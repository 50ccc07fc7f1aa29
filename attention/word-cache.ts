const mostWords = 20_000
/** Longer words hardly come twice. */
const longestWord = 64

/** `encode` with the ids of words kept; when they become too many, all are forgotten. */
export function keepWords(encode: (word: string) => readonly number[]): (word: string) => readonly number[] {
  const known = new Map<string, readonly number[]>()
  return (word) => {
    if (word.length > longestWord) return encode(word)
    const found = known.get(word)
    if (found !== undefined) return found
    const ids = encode(word)
    if (known.size >= mostWords) known.clear()
    known.set(word, ids)
    return ids
  }
}
