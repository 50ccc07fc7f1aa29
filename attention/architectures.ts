/** The architectures that are read, and how each differs from plain Llama. A new one is one entry here. */

/** What an architecture adds to plain Llama. Tensor names and orders are those of GGUF files. */
export interface ModelTraits {
  /** Values of a head that are rotated together: neighbours, or those half a head apart. Files of Llama have their rows put in the former order. */
  readonly rotaryPairs: 'neighbours' | 'halves'
  /** What the gate of the feed-forward part goes through; GELU is its tanh form (Hendrycks and Gimpel, 2016, section 2). */
  readonly activation: 'silu' | 'gelu'
  /** Queries, keys and values have biases. */
  readonly biases: boolean
  /** Each head's queries and keys are normalised before they are rotated. */
  readonly headNorms: boolean
  /** What attention and feed-forward give is normalised before it is added. */
  readonly postNorms: boolean
  /** One tensor holds queries, keys and values, and one gate and up. */
  readonly fused: boolean
  /** Embeddings are multiplied by the root of the hidden size. */
  readonly scaledEmbeddings: boolean
  /** Every how many layers one sees all tokens where the file has a sliding window: 1 is none; undefined where no window is known. */
  readonly slidingPeriod: number | undefined
  /** Layers with a sliding window have a rotary base of their own, and no scaling. */
  readonly ownSlidingBase: boolean
}

const llama: ModelTraits = {
  rotaryPairs: 'neighbours',
  activation: 'silu',
  biases: false,
  headNorms: false,
  postNorms: false,
  fused: false,
  scaledEmbeddings: false,
  slidingPeriod: 1,
  ownSlidingBase: false,
}

const qwen: ModelTraits = { ...llama, rotaryPairs: 'halves', slidingPeriod: undefined }

const gemma3: ModelTraits = {
  ...llama,
  rotaryPairs: 'halves',
  activation: 'gelu',
  headNorms: true,
  postNorms: true,
  scaledEmbeddings: true,
  slidingPeriod: 6,
  ownSlidingBase: true,
}

/** Traits by `general.architecture`. Mistral's files say `llama`. */
const architectures: ReadonlyMap<string, ModelTraits> = new Map([
  ['llama', llama],
  ['qwen2', { ...qwen, biases: true }],
  ['qwen3', { ...qwen, headNorms: true }],
  ['gemma3', gemma3],
  ['phi3', { ...llama, rotaryPairs: 'halves', fused: true }],
])

export const supportedArchitectures: readonly string[] = [...architectures.keys()]

/** Traits of `architecture`; undefined when it is not supported. */
export function traitsOf(architecture: string): ModelTraits | undefined {
  return architectures.get(architecture)
}

/** Layers of the one Gemma 3 that scales its queries by the hidden size and not by the head's. */
const largestGemma3 = 62

/** The width whose root divides the scores of a query, where it is not the head's. */
export function queryWidth(
  architecture: string,
  shape: { readonly layers: number; readonly hidden: number; readonly heads: number },
): number | undefined {
  return architecture === 'gemma3' && shape.layers === largestGemma3 ? shape.hidden / shape.heads : undefined
}
