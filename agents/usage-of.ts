import { cost, type ModelDescription } from '../models/index.ts'
import type { Estimate } from './agent.ts'

/** Estimate with its price and its time, where the model's are known. */
export function usageOf(
  { price, speed }: Pick<ModelDescription, 'price' | 'speed'>,
  calls: number,
  inputTokens: number,
  outputTokens: number,
): Estimate {
  return {
    calls,
    inputTokens,
    outputTokens,
    ...(price === undefined ? {} : { usd: cost({ inputTokens, outputTokens }, price) }),
    ...(speed === undefined ? {} : { seconds: inputTokens / speed.input + outputTokens / speed.output }),
  }
}
