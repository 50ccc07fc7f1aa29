/** One line of results: ids, scores and hashes. A data set's text never enters it, as licences forbid to copy some of them. */
import { createHash } from 'node:crypto'

/** One item as one system did it. */
export interface BenchRecord {
  /** Name of the benchmark. */
  readonly suite: string
  /** Stable id of the item. */
  readonly item: string
  /** What was run, such as a strategy. */
  readonly system: string
  /** With version or hash; says so when it is an oracle. */
  readonly model: string
  readonly tokenizer?: string
  /** Nominal length in tokens. */
  readonly L: number
  /** From 0 to 1. */
  readonly score: number
  /** Hashes of the expected and of the given answer. */
  readonly gold: string
  readonly pred: string
  readonly calls: number
  readonly prefillTok: number
  readonly decodeTok: number
  readonly ms: number
  readonly rssMB?: number
  readonly seed: number
  /** SHA-256 of the data file; absent where the item was generated. */
  readonly dataSha?: string
  /** Commit of the code. */
  readonly gitSha?: string
}

/** The first 16 hexadecimal digits of a text's SHA-256: enough to compare, nothing to read. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The power of two that is nearest to so many tokens: texts that are about as long are reported together. */
export function nominalLength(tokens: number): number {
  return 2 ** Math.round(Math.log2(Math.max(1, tokens)))
}

const NUMBERS = ['L', 'score', 'calls', 'prefillTok', 'decodeTok', 'ms', 'seed'] as const
const HASH = /^[0-9a-f]{16}$/

/**
 * A record as a JSON line.
 *
 * @throws RangeError when a number is not finite, the score leaves [0, 1], or gold and pred are not hashes
 */
export function recordLine(record: BenchRecord): string {
  for (const name of NUMBERS) {
    if (!Number.isFinite(record[name])) throw new RangeError(`Cannot record ${record.item} as ${name} is not finite: ${record[name]}`)
  }
  if (record.score < 0 || record.score > 1)
    throw new RangeError(`Cannot record ${record.item} as its score must lie from 0 to 1: ${record.score}`)
  for (const name of ['gold', 'pred'] as const) {
    if (!HASH.test(record[name]))
      throw new RangeError(`Cannot record ${record.item} as ${name} must be a hash, see hashText: ${record[name]}`)
  }
  return JSON.stringify(record)
}
