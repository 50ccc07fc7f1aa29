import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Whole numbers from `from` to `to`, both included. */
export type RandomInteger = (from: number, to: number) => number

/** A source of random whole numbers that a seed determines. */
export function randomIntegers(seed: number): RandomInteger {
  const generator = xoroshiro128plus(seed)
  return (from, to) => uniformInt(generator, from, to)
}

/** A copy of a list in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: RandomInteger): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = random(0, last)
    ;[result[last], result[other]] = [result[other] as T, result[last] as T]
  }
  return result
}
