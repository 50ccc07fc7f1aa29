/** BM25 over an in-memory posting list (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009). */

/** Saturation of a term's frequency. */
export const k1 = 1.2
/** Share of the length normalisation. */
export const b = 0.75

/** An index of terms to numbered entries. */
export interface WordIndex {
  add(entry: number, terms: readonly string[]): void
  /** Removes an entry; an absent one is no error. */
  remove(entry: number): void
  /** Scores of every entry that holds one of the terms, above 0. A term counts once, however often the query repeats it. */
  scores(terms: readonly string[]): Map<number, number>
}

export function createWordIndex(): WordIndex {
  const postings = new Map<string, Map<number, number>>()
  const entries = new Map<number, { readonly length: number; readonly terms: readonly string[] }>()
  let totalLength = 0

  function remove(entry: number): void {
    const known = entries.get(entry)
    if (!known) return
    for (const term of known.terms) {
      const list = postings.get(term)
      list?.delete(entry)
      if (list?.size === 0) postings.delete(term)
    }
    totalLength -= known.length
    entries.delete(entry)
  }

  function add(entry: number, terms: readonly string[]): void {
    remove(entry)
    const counts = countTerms(terms)
    for (const [term, count] of counts) {
      const list = postings.get(term) ?? new Map<number, number>()
      postings.set(term, list.set(entry, count))
    }
    totalLength += terms.length
    entries.set(entry, { length: terms.length, terms: [...counts.keys()] })
  }

  function scores(terms: readonly string[]): Map<number, number> {
    const result = new Map<number, number>()
    const meanLength = totalLength / Math.max(1, entries.size)
    for (const term of new Set(terms)) {
      const list = postings.get(term)
      if (!list) continue
      const weight = inverseFrequency(entries.size, list.size)
      for (const [entry, count] of list) {
        const length = entries.get(entry)?.length ?? meanLength
        result.set(entry, (result.get(entry) ?? 0) + weight * saturate(count, length, meanLength))
      }
    }
    return result
  }

  return { add, remove, scores }
}

/** What a term counts for by how often it stands in an entry. */
export function saturate(count: number, length: number, meanLength: number): number {
  return (count * (k1 + 1)) / (count + k1 * (1 - b + (b * length) / meanLength))
}

/**
 * What a term counts for by how many of all entries hold it. The logarithm keeps its 1 so that a term in most entries still counts a little,
 * never against them.
 */
export function inverseFrequency(entries: number, holding: number): number {
  return Math.log(1 + (entries - holding + 0.5) / (holding + 0.5))
}

export function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}
