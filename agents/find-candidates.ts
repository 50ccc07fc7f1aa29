import { createDocument, passages } from '../chunkers/index.ts'
import { indexTerms } from '../memory/index.ts'

/** A passage that may answer, by its place in a chunk: offsets count from the start of the chunk. */
export interface QuoteCandidate {
  readonly start: number
  readonly end: number
  /** Score of the retrieval that chose it, from 0 to 1. */
  readonly score: number
  /** Its BM25 score; `score` by default. */
  readonly words?: number
  /** Its cosine similarity to the question, where there are vectors. */
  readonly similarity?: number
}

/**
 * The passages of a text that share the most telling words with a question: each shared term counts with the logarithm of how rare it is
 * among the passages (inverse document frequency). Passages that share none are no candidates.
 */
export function findCandidates(text: string, question: string, most: number): QuoteCandidate[] {
  const spans = passages(createDocument({ text, name: 'chunk', sections: [] }))
  const terms = spans.map((passage) => new Set(indexTerms(passage.text)))
  const weights = new Map([...new Set(indexTerms(question))].map((term) => [term, rarity(term, terms)]))
  const whole = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  const scored = spans.map(({ start, end }, place) => ({ start, end, score: shared(terms[place] as Set<string>, weights) / (whole || 1) }))
  return scored
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.start - b.start)
    .slice(0, most)
    .toSorted((a, b) => a.start - b.start)
}

function rarity(term: string, sets: readonly Set<string>[]): number {
  const holding = sets.filter((set) => set.has(term)).length
  return Math.log(1 + sets.length / (1 + holding))
}

function shared(terms: Set<string>, weights: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const [term, weight] of weights) if (terms.has(term)) sum += weight
  return sum
}
