import type { Quote } from './communication-unit.ts'

/** White space between two sentences at most: a quotation does not cross a gap. */
const LARGEST_GAP = 2

export interface GroupOptions {
  /** Most groups. */
  readonly most: number
  /** Most tokens of a group. */
  readonly maxTokens: number
  readonly count: (text: string) => number
}

/**
 * The best quotations, each with its better neighbour where both together fit: what a sentence means often stands in the one beside it, and an
 * answer just beside the sentence that shares the question's words is then quoted too.
 *
 * @param ranked best first
 * @returns groups, best first; within a group in the order of the text
 */
export function groupQuotes<T extends Quote>(ranked: readonly T[], options: GroupOptions): T[][] {
  const { most, maxTokens, count } = options
  const taken = new Set<T>()
  const groups: T[][] = []
  for (const quote of ranked) {
    if (groups.length === most) break
    if (taken.has(quote)) continue
    const beside = ranked.find((other) => !taken.has(other) && touches(quote, other) && count(quote.text) + count(other.text) <= maxTokens)
    const group = beside ? [quote, beside].toSorted((a, b) => a.start - b.start) : [quote]
    for (const one of group) taken.add(one)
    groups.push(group)
  }
  return groups
}

function touches(a: Quote, b: Quote): boolean {
  if (a === b || a.documentId !== b.documentId) return false
  const gap = a.end <= b.start ? b.start - a.end : a.start - b.end
  return gap >= 0 && gap <= LARGEST_GAP
}
