import type { Usage } from '../agents/index.ts'
import { add } from './limits.ts'
import type { Plan } from './plan.ts'

/** Sums the estimates of all steps of a strategy. One step without a price leaves the price of the whole unknown. */
export function sumPlan(
  strategy: string,
  estimates: readonly Usage[],
  options: { readonly chunks: number; readonly criticalPath: number; readonly seconds?: number; readonly notes?: readonly string[] },
): Plan {
  const { chunks, criticalPath, seconds, notes = [] } = options
  const { calls, inputTokens, outputTokens, usd } = estimates.reduce(add, { calls: 0, inputTokens: 0, outputTokens: 0, usd: 0 })
  return { strategy, chunks, calls, inputTokens, outputTokens, usd, criticalPath, seconds, notes }
}
