/** How well borders were found: Pk, WindowDiff and F1 of borders. A segmentation is the number of its items and the indices at which segments begin. */

/** Borders among `items` items: indices of the items that begin a segment, ascending, without 0. */
export interface Segmentation {
  readonly items: number
  readonly borders: readonly number[]
}

/** Half the mean length of the reference's segments, in items. */
export function windowOf({ items, borders }: Segmentation): number {
  return Math.max(1, Math.round(items / (borders.length + 1) / 2))
}

/**
 * Pk (Beeferman, Berger and Lafferty 1999): the share of pairs of items k apart on which the two disagree whether they are in one segment, from 0
 * to 1; lower is better.
 */
export function pk(reference: Segmentation, found: Segmentation, k: number = windowOf(reference)): number {
  return disagreements(reference, found, k, (expected, given) => (expected === 0) !== (given === 0))
}

/**
 * WindowDiff (Pevzner and Hearst 2002): the share of windows of k gaps in which the two have another number of borders, from 0 to 1; lower is better.
 */
export function windowDiff(reference: Segmentation, found: Segmentation, k: number = windowOf(reference)): number {
  return disagreements(reference, found, k, (expected, given) => expected !== given)
}

/**
 * F1 of borders, each found one matched with one of the reference at most `tolerance` items away. 1 where neither has any.
 */
export function borderF1(reference: Segmentation, found: Segmentation, tolerance = 1): number {
  const total = reference.borders.length + found.borders.length
  if (total === 0) return 1
  let matches = 0
  let next = 0
  // From left to right, the first that is near enough: no other matching has more pairs.
  for (const border of reference.borders) {
    while (next < found.borders.length && (found.borders[next] as number) < border - tolerance) next++
    if (next === found.borders.length || (found.borders[next] as number) > border + tolerance) continue
    matches++
    next++
  }
  return (2 * matches) / total
}

function disagreements(
  reference: Segmentation,
  found: Segmentation,
  k: number,
  disagree: (expected: number, given: number) => boolean,
): number {
  const { items } = reference
  if (found.items !== items) throw new RangeError(`Cannot compare segmentations as they have ${items} and ${found.items} items`)
  const windows = items - k
  if (windows < 1) return 0
  const expected = bordersBefore(reference)
  const given = bordersBefore(found)
  let count = 0
  for (let at = 0; at < windows; at++) {
    const between = (borders: Int32Array): number => (borders[at + k] as number) - (borders[at] as number)
    if (disagree(between(expected), between(given))) count++
  }
  return count / windows
}

/** Of each item how many borders come before it or at it. */
function bordersBefore({ items, borders }: Segmentation): Int32Array {
  const counts = new Int32Array(items)
  for (const border of borders) counts[border] = 1
  for (let at = 1; at < items; at++) counts[at] = (counts[at] as number) + (counts[at - 1] as number)
  return counts
}
