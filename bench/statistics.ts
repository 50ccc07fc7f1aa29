/** What makes a figure more than a bare mean. */
import { mean, quantileSorted } from 'simple-statistics'
import { randomIntegers } from './random.ts'

/** A mean with its confidence interval. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
  readonly n: number
}

export interface BootstrapOptions {
  /** Coverage of the interval; 0.95 by default. */
  readonly level?: number
  /** Resamples; 10,000 by default. */
  readonly resamples?: number
  readonly seed?: number
}

/**
 * The mean and its percentile bootstrap interval (Efron 1979): the quantiles of the means of samples drawn with replacement.
 *
 * @throws RangeError when there is no value
 */
export function bootstrapInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  const { level = 0.95, resamples = 10_000, seed = 1 } = options
  if (values.length === 0) throw new RangeError('Cannot give an interval as there are no values')
  const random = randomIntegers(seed)
  const means = new Float64Array(resamples)
  for (let at = 0; at < resamples; at++) {
    let sum = 0
    for (let drawn = 0; drawn < values.length; drawn++) sum += values[random(0, values.length - 1)] as number
    means[at] = sum / values.length
  }
  const sorted = [...means.sort()]
  const tail = (1 - level) / 2
  return { mean: mean([...values]), low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail), n: values.length }
}

/** The quantile of values at a share from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('Cannot give a quantile as there are no values')
  return quantileSorted(
    values.toSorted((a, b) => a - b),
    share,
  )
}

export interface PairedTest {
  /** Items that only the first system got right, and only the second. */
  readonly onlyFirst: number
  readonly onlySecond: number
  /** Two-sided probability of a split at least this uneven if both were equally good. */
  readonly p: number
}

/**
 * McNemar's test on paired outcomes, exact: the items on which the two differ are fair coin tosses if neither is better (McNemar 1947).
 *
 * @throws RangeError when the lists are of different length
 */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): PairedTest {
  if (first.length !== second.length) throw new RangeError(`Cannot pair lists of different length: ${first.length} and ${second.length}`)
  const onlyFirst = first.filter((right, at) => right && second[at] === false).length
  const onlySecond = second.filter((right, at) => right && first[at] === false).length
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * binomialTail(onlyFirst + onlySecond, Math.min(onlyFirst, onlySecond))) }
}

/** Probability of at most `most` heads in `tosses` tosses of a fair coin. */
function binomialTail(tosses: number, most: number): number {
  let logTerm = -tosses * Math.LN2
  let sum = 0
  for (let heads = 0; heads <= most; heads++) {
    sum += Math.exp(logTerm)
    logTerm += Math.log(tosses - heads) - Math.log(heads + 1)
  }
  return sum
}
