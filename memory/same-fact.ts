import { factKey, factOf, isSameStatement, normaliseFactText } from './fact-record.ts'
import type { MemoryRecord } from './memory-record.ts'
import { cosineSimilarity } from './vectors.ts'

/**
 * Least cosine similarity of two facts that say the same in other words. Of the labelled pairs of facts (`test/memory/fact-pairs.ts`), embedded with
 * all-MiniLM-L6-v2, it is where no pair that differs is taken for the same.
 */
export const SAME_FACT_SIMILARITY = 0.8

const negation = /\b(?:not|no|never|dislikes?|hates?|without|stopped|former|longer|nothing|neither|nor)\b/g

/**
 * Whether two records say the same: equal in subject, attribute, topic and value; or equal as normalised text; or near in meaning, with equal numbers,
 * names and negations, as vectors tell those badly apart. Values of one key that differ are an update and never the same.
 *
 * @param threshold least cosine similarity, from -1 to 1; used where both records have vectors
 */
export function isSameFact(one: MemoryRecord, other: MemoryRecord, threshold: number = SAME_FACT_SIMILARITY): boolean {
  const [first, second] = [factOf(one), factOf(other)]
  if (first && second && isSameStatement(first, second)) return true
  if (first && second && factKey(first) === factKey(second)) return false
  if (normaliseFactText(one.text) === normaliseFactText(other.text)) return true
  if (!one.vector || !other.vector || marksOf(one.text) !== marksOf(other.text)) return false
  return cosineSimilarity(one.vector, other.vector) >= threshold
}

/** What must be equal in texts that say the same: numbers, names, negations. */
function marksOf(text: string): string {
  const lower = text.toLowerCase()
  const numbers = lower.match(/\p{N}+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b/gu) ?? []
  // The first word of a sentence has a capital in any case.
  const names = text.match(/(?<=[^.!?]\s)\p{Lu}[\p{L}\p{M}]+/gu) ?? []
  return JSON.stringify([numbers.toSorted(), [...new Set(names)].toSorted(), (lower.match(negation)?.length ?? 0) > 0])
}
