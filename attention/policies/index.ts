/** All policies. */
export { full } from './full.ts'
export type { CachePolicy } from './policy.ts'
export { sinksAndRecent } from './sinks-and-recent.ts'
export { snapKv, type SnapKvOptions } from './snap-kv.ts'
