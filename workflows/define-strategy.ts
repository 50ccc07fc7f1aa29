import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface StrategyDefinition {
  /** Kebab-case. */
  readonly name: string
  /** Raised when what it does changes. */
  readonly version: number
  /** Reads and answers. Nothing of XState is needed: `step` gives budget, journal, retry, limits, events and abort. */
  run(context: StrategyContext): Promise<StrategyResult>
  /** What it will take; by default only the number of chunks is known. */
  plan?(context: SourceContext): Plan | Promise<Plan>
}

/**
 * Makes a strategy of an async function over `step`.
 *
 * @example
 * ```ts
 * const firstHit = defineStrategy({ name: 'first-hit', version: 1, async run({ chunks, question, step }) {
 *   for await (const chunk of chunks) {
 *     const note = await step(quotingWorker(model), { chunk, question })
 *     if (note.found) return { text: note.text, quotes: note.quotes }
 *   }
 *   return { status: 'not-found' }
 * } })
 * ```
 */
export function defineStrategy(definition: StrategyDefinition): Strategy {
  const { name, version } = definition
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new TypeError(`Cannot define the strategy ${JSON.stringify(name)} as its name must be kebab-case`)
  if (!Number.isInteger(version))
    throw new TypeError(`Cannot define the strategy ${name} as its version must be a whole number: ${version}`)
  return {
    name,
    version,
    run: (context) => definition.run(context),
    plan: (context) => definition.plan?.(context) ?? planUnknown(name, context),
  }
}

async function planUnknown(name: string, context: SourceContext): Promise<Plan> {
  const cut = await context.chunk()
  const chunks = cut.length
  const notes = ['The strategy does not say what it will take: the number of calls assumes one a chunk, tokens are those of the text']
  const inputTokens = cut.reduce((sum, { tokens }) => sum + tokens, 0)
  return { ...sumPlan(name, [{ calls: chunks, inputTokens, outputTokens: 0 }], { chunks, criticalPath: chunks, notes }), usd: undefined }
}
