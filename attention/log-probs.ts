/** Log-probabilities of tokens by the softmax of all logits. */

export interface TokenLogProb {
  readonly id: number
  /** log P by the model alone: without temperature, penalty, bias and constraint. */
  readonly logProb: number
  /** The likeliest tokens, the likeliest first. */
  readonly top: readonly { readonly id: number; readonly logProb: number }[]
}

export interface LogProbOptions {
  /** How many of the likeliest tokens are told of; 0 by default. */
  readonly top?: number
  readonly onToken: (token: TokenLogProb) => void
}

/** log P of `id`. */
export function logProbOf(logits: Float32Array, id: number): number {
  return (logits[id] ?? -Infinity) - logTotal(logits)
}

/** log P of `id` and of the `top` likeliest. */
export function tokenLogProb(logits: Float32Array, id: number, top: number): TokenLogProb {
  const total = logTotal(logits)
  const likeliest: number[] = []
  for (let other = 0; other < logits.length; other++) {
    if (top < 1) break
    const logit = logits[other] ?? -Infinity
    if (likeliest.length === top && logit <= (logits[likeliest.at(-1) ?? 0] ?? -Infinity)) continue
    const place = likeliest.findIndex((one) => (logits[one] ?? -Infinity) < logit)
    likeliest.splice(place < 0 ? likeliest.length : place, 0, other)
    if (likeliest.length > top) likeliest.pop()
  }
  const known = (one: number): { id: number; logProb: number } => ({ id: one, logProb: (logits[one] ?? -Infinity) - total })
  return { ...known(id), top: likeliest.map(known) }
}

/** log of the sum of all exponentials. */
function logTotal(logits: Float32Array): number {
  let most = -Infinity
  for (const value of logits) if (value > most) most = value
  let total = 0
  for (const value of logits) total += Math.exp(value - most)
  return most + Math.log(total)
}
