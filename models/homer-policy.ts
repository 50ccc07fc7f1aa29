/** How caches of texts that were merged or cut down, and the nodes of merges, name in their files what chose their tokens. */
import type { CachePolicy } from '../attention/index.ts'
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

/** The policy of a cache that was cut down to `tokens`. */
export function cutPolicy({ name, parameters }: CachePolicy, tokens: number): string {
  const settings = Object.entries(parameters).map(([parameter, value]) => `, ${parameter} ${value}`)
  return `${name} ${tokens}${settings.join('')}`
}

/** Whether a cache holds what was left of a text, and not what a node of a merge came to. */
export function isPartPolicy(policy: string): boolean {
  return ['homer ', 'snapkv ', 'sinks-and-recent '].some((name) => policy.startsWith(name))
}

/** The policy of a file that holds what a node came to: a hash of the text with all settings, and the node's place. */
export function nodePolicy(key: string, node: number): string {
  return `homer-node ${key.slice(0, 32)} ${node}`
}
