/**
 * TextTiling by comparison of blocks (Hearst, "TextTiling: Segmenting text into multi-paragraph subtopic passages", 1997), over sentences or turns in the
 * place of pseudo-sentences: the reference that other segmentations are measured against.
 */
import { indexTerms } from '../memory/index.ts'

/** The items at which segments begin. `block` is the number of items on each side of a gap. */
export function textTiling(items: readonly string[], block: number): number[] {
  const counts = items.map(countTerms)
  const similarities = items.slice(1).map((_, at) => {
    const gap = at + 1
    return cosine(sumOf(counts.slice(Math.max(0, gap - block), gap)), sumOf(counts.slice(gap, gap + block)))
  })
  const depths = similarities.map((_, at) => depthAt(similarities, at))
  const mean = depths.reduce((sum, depth) => sum + depth, 0) / depths.length
  const deviation = Math.sqrt(depths.reduce((sum, depth) => sum + (depth - mean) ** 2, 0) / depths.length)
  const cutoff = mean - deviation / 2
  return depths.flatMap((depth, at) => (depth > cutoff && isValley(similarities, at) ? [at + 1] : []))
}

/** How far the similarity at a gap lies under the nearest peaks on both sides. */
function depthAt(similarities: readonly number[], at: number): number {
  return climb(similarities, at, -1) + climb(similarities, at, 1) - 2 * (similarities[at] as number)
}

function climb(similarities: readonly number[], from: number, step: 1 | -1): number {
  let at = from
  while ((similarities[at + step] ?? -1) >= (similarities[at] as number)) at += step
  return similarities[at] as number
}

/** Whether neither neighbour is lower; of equal ones the first. */
function isValley(similarities: readonly number[], at: number): boolean {
  const here = similarities[at] as number
  return (similarities[at - 1] ?? 1) > here && (similarities[at + 1] ?? 1) >= here
}

function countTerms(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of indexTerms(text)) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}

function sumOf(parts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>()
  for (const part of parts) for (const [term, count] of part) sum.set(term, (sum.get(term) ?? 0) + count)
  return sum
}

function cosine(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): number {
  const squares = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count * count, 0)
  let dot = 0
  for (const [term, count] of left) dot += count * (right.get(term) ?? 0)
  const length = Math.sqrt(squares(left) * squares(right))
  return length > 0 ? dot / length : 0
}
