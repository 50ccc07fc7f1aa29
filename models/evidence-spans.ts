import { type ByteTokenizer, withStart } from '../attention/index.ts'
import type { EvidenceQuery } from './evidence-model.ts'
import { tokenSpans } from './token-spans.ts'
import type { TokenRange } from './weigh-spans.ts'

/**
 * The tokens of a query's prefix, which may begin with a start token, that lie in each of its spans, in part or whole.
 *
 * @throws RangeError when a span lies outside of the prefix
 */
export function rangesOf(tokenizer: ByteTokenizer, { prefix, spans }: Pick<EvidenceQuery, 'prefix' | 'spans'>): TokenRange[] {
  const { ids, offsets } = tokenSpans(tokenizer, prefix)
  const before = withStart(tokenizer, ids).length - ids.length
  // A token that begins inside a character begins with it.
  const starts: number[] = []
  for (const offset of offsets) starts.push(offset < 0 ? (starts.at(-1) ?? 0) : offset)
  return spans.map(({ start, end }) => {
    if (!(start >= 0 && start <= end && end <= prefix.length)) {
      throw new RangeError(`Cannot weigh a span of the prefix as it is not within its ${prefix.length} code units: ${start} to ${end}`)
    }
    let first = 0
    while (first < ids.length && (starts[first + 1] ?? 0) <= start) first++
    let last = first
    while (last < ids.length && (starts[last] ?? 0) < end) last++
    return [before + first, before + last]
  })
}

/** Mean over heads of weights [heads, spans]. */
export function meanOverHeads(weights: Float32Array, heads: number): number[] {
  const spans = weights.length / heads
  return Array.from({ length: spans }, (_, span) => {
    let sum = 0
    for (let head = 0; head < heads; head++) sum += weights[head * spans + span] ?? 0
    return sum / heads
  })
}
