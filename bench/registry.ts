/** The benchmarks by name; each is loaded when it is asked for. */
import type { Bench } from './bench.ts'

const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  attention: () => import('./attention.ts'),
  'chunk-speed': () => import('./chunk-speed.ts'),
  chunking: () => import('./chunking.ts'),
  decoding: () => import('./decoding.ts'),
  embed: () => import('./embed.ts'),
  evidence: () => import('./evidence.ts'),
  'homer-memory': () => import('./homer-memory.ts'),
  'homer-passkey': () => import('./homer-passkey.ts'),
  'homer-perplexity': () => import('./homer-perplexity.ts'),
  'homer-squad': () => import('./homer-squad.ts'),
  incremental: () => import('./incremental.ts'),
  loaders: () => import('./loaders.ts'),
  locomo: () => import('./locomo.ts'),
  'long-chat': () => import('./long-chat.ts'),
  mem1: () => import('./mem1.ts'),
  needle: () => import('./needle.ts'),
  overhead: () => import('./overhead.ts'),
  'read-speed': () => import('./read-speed-bench.ts'),
  'round-trip': () => import('./round-trip.ts'),
  'scm-judge': () => import('./scm-judge.ts'),
  segmentation: () => import('./segmentation.ts'),
  'service-isolation': () => import('./service-isolation.ts'),
  'service-kill': () => import('./service-kill.ts'),
  squad: () => import('./squad.ts'),
  store: () => import('./store.ts'),
  'store-million': () => import('./store-million.ts'),
  tree: () => import('./tree.ts'),
}

/** Names of all benchmarks, sorted. */
export const benchNames: readonly string[] = Object.keys(BENCHES).toSorted()

/** @throws RangeError when there is no such benchmark; names those that there are */
export async function loadBench(name: string): Promise<Bench> {
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (!load) throw new RangeError(`Cannot run the benchmark as there is none of this name: ${name}. There are ${benchNames.join(', ')}`)
  return (await load()).bench
}
