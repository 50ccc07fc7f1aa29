import { cost, type ModelDescription } from '../models/index.ts'
import type { Usage } from './agent.ts'

/** Usage with its price, where the model's is known. */
export function usageOf({ price }: Pick<ModelDescription, 'price'>, calls: number, inputTokens: number, outputTokens: number): Usage {
  const usage = { calls, inputTokens, outputTokens }
  return price === undefined ? usage : { ...usage, usd: cost(usage, price) }
}
