import type { Estimate } from '../agents/index.ts'
import { add } from './limits.ts'
import type { Plan } from './plan.ts'

/** Sums the estimates of all steps of a strategy. One step without a price leaves the price of the whole unknown, and so with the time. */
export function sumPlan(
  strategy: string,
  estimates: readonly Estimate[],
  options: { readonly chunks: number; readonly criticalPath: number; readonly notes?: readonly string[] },
): Plan {
  const { chunks, criticalPath, notes = [] } = options
  const times = estimates.map((estimate) => estimate.seconds)
  const seconds = times.reduce((sum, time) => (sum === undefined || time === undefined ? undefined : sum + time), 0)
  const { calls, inputTokens, outputTokens, usd } = estimates.reduce(add, { calls: 0, inputTokens: 0, outputTokens: 0, usd: 0 })
  return { strategy, chunks, calls, inputTokens, outputTokens, usd, criticalPath, seconds, notes }
}
