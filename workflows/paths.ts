import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { uniformInt } from 'pure-rand/distribution/uniformInt'

/** Orders in which a chain reads (Chain of Agents, arXiv 2406.02818, section 5.6). */
export type Paths = 'forward' | 'backward' | 'both' | { readonly permutations: number; readonly seed?: number }

/** One order: places of the chunks. */
export interface ReadingPath {
  readonly name: string
  readonly order: readonly number[]
}

/** Paths a multi-path chain may have at most: each is a whole reading. */
const MOST_PATHS = 64

export function readingPaths(paths: Paths, length: number): ReadingPath[] {
  const forward = Array.from({ length }, (_, place) => place)
  const backward = [...forward].reverse()
  if (paths === 'forward') return [{ name: 'forward', order: forward }]
  if (paths === 'backward') return [{ name: 'backward', order: backward }]
  if (paths === 'both') {
    return [
      { name: 'forward', order: forward },
      { name: 'backward', order: backward },
    ]
  }
  const { permutations, seed = 42 } = paths
  if (!Number.isInteger(permutations) || permutations < 1 || permutations > MOST_PATHS) {
    throw new RangeError(`Cannot read in ${permutations} permutations as their number must be a whole number from 1 to ${MOST_PATHS}`)
  }
  return Array.from({ length: permutations }, (_, number) => ({
    name: `permutation-${number + 1}`,
    order: shuffle(forward, seed + number),
  }))
}

/** Number of paths, for plans. */
export function pathCount(paths: Paths): number {
  if (paths === 'both') return 2
  return typeof paths === 'string' ? 1 : paths.permutations
}

/** Fisher and Yates with a seeded generator: the same seed gives the same order. */
function shuffle(order: readonly number[], seed: number): number[] {
  const random = xoroshiro128plus(seed)
  const shuffled = [...order]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last)
    const value = shuffled[last] as number
    shuffled[last] = shuffled[other] as number
    shuffled[other] = value
  }
  return shuffled
}
