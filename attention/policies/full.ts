import { type CachePolicy, range } from './policy.ts'

/** Keeps everything, whatever the budget. */
export function full(): CachePolicy {
  return { name: 'full', parameters: {}, queries: 0, positions: 'kept', keep: ({ length }) => Int32Array.from(range(0, length)) }
}
