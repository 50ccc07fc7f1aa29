/** Price of a model in US dollars a million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
}

/** Day on which {@link knownPrice}'s list was last compared with the published price list. */
export const PRICES_AS_OF = '2025-08-15'

/** Standard tier, uncached input. Prices age: pass `price` to `describe` where money depends on it. */
const PRICES: Readonly<Record<string, Price>> = {
  'gpt-4o': { input: 2.5, output: 10 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
  'gpt-4.1': { input: 2, output: 8 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6 },
  'gpt-4.1-nano': { input: 0.1, output: 0.4 },
  'o4-mini': { input: 1.1, output: 4.4 },
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
  'gpt-5-nano': { input: 0.05, output: 0.4 },
}

/** The known price of an OpenAI model, or of the dated snapshot of one (`gpt-4o-mini-2024-07-18`); undefined for any other. */
export function knownPrice(modelName: string): Price | undefined {
  const name = modelName.replace(/-\d{4}-\d{2}-\d{2}$/, '')
  return Object.hasOwn(PRICES, name) ? PRICES[name] : undefined
}

/** US dollars for the tokens of one or many calls. */
export function cost(usage: { readonly inputTokens: number; readonly outputTokens: number }, price: Price): number {
  return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000
}
