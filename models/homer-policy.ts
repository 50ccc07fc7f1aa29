/** How caches of merged texts, and the nodes of merges, name in their files what chose their tokens. */
import type { HomerCall } from './local-protocol.ts'

/** What a cache holds that was read whole. */
export const FULL_POLICY = 'full'

/** The policy of a merged cache: its settings. */
export function mergePolicy({
  maxChunk,
  target,
  warmUp,
  heads,
  bias,
}: Pick<HomerCall, 'maxChunk' | 'target' | 'warmUp' | 'heads' | 'bias'>): string {
  const rule = heads.length > 0 ? `${heads.length} heads` : bias === undefined ? 'all heads' : 'all heads, calibrated'
  return `homer chunk ${maxChunk}, keep ${target}, warm-up ${warmUp}, ${rule}`
}

export function isMergePolicy(policy: string): boolean {
  return policy.startsWith('homer ')
}

/** The policy of a file that holds what a node came to: a hash of the text with all settings, and the node's place. */
export function nodePolicy(key: string, node: number): string {
  return `homer-node ${key.slice(0, 32)} ${node}`
}
