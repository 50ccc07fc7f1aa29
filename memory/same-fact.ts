import { factKey, factOf, isSameStatement, normaliseFactText } from './fact-record.ts'
import type { MemoryRecord } from './memory-record.ts'
import { cosineSimilarity } from './vectors.ts'

/**
 * Least cosine similarity of two facts that say the same in other words. Of the labelled pairs of facts (`test/memory/fact-pairs.ts`),
 * embedded with all-MiniLM-L6-v2, it takes none of the 40 that differ for the same, and knows 15 of the 30 that say the same (0.98 knows
 * 1): a fact that is lost costs more than one that is kept twice.
 */
export const SAME_FACT_SIMILARITY = 0.91

const negation =
  /\b(?:not|no|never|dislikes?|hates?|without|stopped|gave up|given up|quit|used to|former(?:ly)?|longer|nothing|neither|nor)\b/
const relations =
  /\b(?:mother|father|mum|mom|dad|parents?|sister|brother|wife|husband|partner|girlfriend|boyfriend|son|daughter|child(?:ren)?|kids?|cousin|uncle|aunt|nephew|niece|grand\w+|boss|friend|colleague|neighbou?r)(?:-in-law)?(?!-)\b/g

/**
 * Whether two records say the same: equal in subject, attribute, topic and value; or equal as normalised text; or near in meaning, with the
 * same subject, numbers, names, relations and negation, as vectors tell those badly apart. Values of one key that differ are an update and
 * never the same.
 *
 * @param threshold least cosine similarity, from -1 to 1; used where both records have vectors
 */
export function isSameFact(one: MemoryRecord, other: MemoryRecord, threshold: number = SAME_FACT_SIMILARITY): boolean {
  const [first, second] = [factOf(one), factOf(other)]
  if (first && second && isSameStatement(first, second)) return true
  if (first && second && factKey(first) === factKey(second)) return false
  if (normaliseFactText(one.text) === normaliseFactText(other.text)) return true
  if (first && second && normaliseFactText(first.subject) !== normaliseFactText(second.subject)) return false
  if (!one.vector || !other.vector || marksOf(one.text) !== marksOf(other.text)) return false
  return cosineSimilarity(one.vector, other.vector) >= threshold
}

/** What must be equal in texts that say the same: numbers, names, relations, and whether something is denied. */
export function marksOf(text: string): string {
  const lower = text.toLowerCase()
  const numbers = lower.match(/\p{N}+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b/gu) ?? []
  // The first word of a sentence has a capital in any case.
  const names = text.match(/(?<=[^.!?]\s)\p{Lu}[\p{L}\p{M}]+/gu) ?? []
  const sets = [numbers, names, lower.match(relations) ?? []].map((words) => [...new Set(words)].toSorted())
  return JSON.stringify([...sets, negation.test(lower)])
}
