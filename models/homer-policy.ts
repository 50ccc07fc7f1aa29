/** How caches of merged texts, and the nodes of merges, name in their files what chose their tokens. */
import type { HomerCall } from './local-protocol.ts'

/** What a cache holds that was read whole. */
export const FULL_POLICY = 'full'

/** The policy of a merged cache: its settings. */
export function mergePolicy({ maxChunk, target, warmUp, heads }: Pick<HomerCall, 'maxChunk' | 'target' | 'warmUp' | 'heads'>): string {
  return `homer chunk ${maxChunk}, keep ${target}, warm-up ${warmUp}, ${heads.length === 0 ? 'all heads' : `${heads.length} heads`}`
}

export function isMergePolicy(policy: string): boolean {
  return policy.startsWith('homer ')
}

/** The policy of a file that holds what a node came to: the key of the text with all settings, and the node's place. */
export function nodePolicy(key: string, node: number): string {
  return `homer-node ${key} ${node}`
}
