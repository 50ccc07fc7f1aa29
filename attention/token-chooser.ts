/** Chooses tokens by the sampler, within what a constraint leaves. */
import type { ConstraintRun } from './constraints/constraint.ts'
import type { GenerateOptions } from './decoder.ts'
import { createSampler, type Sampler } from './sampling.ts'

export interface TokenChooser {
  /** Whether the output has to end. */
  readonly isComplete: boolean
  /** Whether the token limit, and not the model, chose a token. */
  readonly wasForced: boolean
  /** The next token of an output of which `left` tokens may follow; undefined: it ends. */
  choose(logits: Float32Array, generated: readonly number[], left: number): number | undefined
}

/** Tokens that are tried before the shortest completion is taken, when little is left. */
const mostTries = 32

export function createTokenChooser(options: GenerateOptions): TokenChooser {
  const { constraint, stop = [], allow } = options
  const sample = createSampler(options)
  const ends = new Set(stop)
  if (constraint !== undefined) return new ConstrainedChooser(sample, constraint.begin(), ends, options)
  return {
    isComplete: false,
    wasForced: false,
    choose(logits, generated) {
      const id = sample(logits, allow?.(generated), generated)
      return id !== undefined && ends.has(id) ? undefined : id
    },
  }
}

class ConstrainedChooser implements TokenChooser {
  wasForced = false
  readonly #sample: Sampler
  readonly #run: ConstraintRun
  readonly #ends: ReadonlySet<number>
  readonly #isGreedy: boolean

  constructor(sample: Sampler, run: ConstraintRun, ends: ReadonlySet<number>, { temperature = 0, allow }: GenerateOptions) {
    if (allow !== undefined) throw new TypeError('Cannot generate as both allow and constraint restrict the tokens. Give one of them')
    this.#sample = sample
    this.#run = run
    this.#ends = ends
    this.#isGreedy = temperature === 0
  }

  get isComplete(): boolean {
    return this.#run.isComplete
  }

  choose(logits: Float32Array, generated: readonly number[], left: number): number | undefined {
    const id = this.#pick(logits, generated, left)
    if (id !== undefined) this.#run.advance(id)
    return id
  }

  #pick(logits: Float32Array, generated: readonly number[], left: number): number | undefined {
    const run = this.#run
    // The likeliest of all is mostly allowed, and then nothing has to be known of the others.
    const likeliest = this.#isGreedy ? this.#sample(logits, undefined, generated) : undefined
    if (likeliest !== undefined) {
      if (this.#ends.has(likeliest) && run.mayEnd) return undefined
      if (run.fits(likeliest, left - 1)) return likeliest
    }
    const mask = run.allowed().copy()
    for (const id of this.#ends) {
      if (run.mayEnd) mask.add(id)
      else mask.delete(id)
    }
    for (let tries = 0; tries < mostTries; tries++) {
      const id = this.#sample(logits, mask, generated)
      if (id === undefined) break
      if (this.#ends.has(id)) return undefined
      if (run.fits(id, left - 1)) return id
      mask.delete(id)
    }
    this.wasForced = true
    return run.completion()[0]
  }
}
