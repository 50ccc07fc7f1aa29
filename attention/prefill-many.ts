/**
 * Many short prompts through the layers side by side ("prepacking", Zhao et al., 2024, arXiv 2404.09529): each starts at position 0 and sees
 * its own tokens only, so the results are those of each prompt alone, at the speed of one long prompt.
 */
import { lastRows, type Segment } from './attention-rows.ts'
import type { Prefilled } from './decoder.ts'
import type { BlockCache } from './kv-cache.ts'

/** What packing needs of a decoder. */
export interface PackingParts {
  /** Most tokens that go through the layers together. */
  readonly sliceTokens: number
  /** Prompts of as many tokens or more run alone: they are fast enough, and may run in another arithmetic. */
  readonly fewestAlone: number
  readonly width: number
  createCache(): BlockCache
  embed(ids: readonly number[]): Float32Array
  /** All layers over rows of several sequences; `lastOnly`: the result holds the last row of each. */
  run(x: Float32Array, positions: Int32Array, segments: readonly Segment[], lastOnly: boolean): Promise<Float32Array>
  logits(hidden: Float32Array): Promise<Float32Array>
  prefill(ids: readonly number[], cache: BlockCache): Promise<Float32Array>
}

/** From this many tokens a prompt on, the last layer of a pack is worth running for the last tokens only, prompt by prompt. */
const fewestForLastOnly = 32

/** A cache and the last token's logits for each prompt, in order. A failure frees the caches that were made. */
export async function prefillPacked(
  prompts: readonly (readonly number[])[],
  parts: PackingParts,
  onProgress?: (share: number) => void,
): Promise<Prefilled[]> {
  const results = prompts.map(() => ({ cache: parts.createCache(), logits: new Float32Array() as Float32Array }))
  const bins = packByFirstFit(
    prompts.map(({ length }) => (length >= parts.fewestAlone ? parts.sliceTokens : length)),
    parts.sliceTokens,
  )
  try {
    for (const [done, bin] of bins.entries()) {
      await prefillBin(prompts, bin, results, parts)
      onProgress?.((done + 1) / bins.length)
    }
  } catch (error) {
    for (const { cache } of results) cache.dispose()
    throw error
  }
  return results
}

/** Indices of `lengths` in bins of at most `most` in sum, each put into the first bin that has room; what is longer has a bin of its own. */
export function packByFirstFit(lengths: readonly number[], most: number): number[][] {
  const bins: { readonly indices: number[]; room: number }[] = []
  for (const [index, length] of lengths.entries()) {
    const found = bins.find(({ room }) => room >= length)
    const bin = found ?? { indices: [], room: most }
    if (found === undefined) bins.push(bin)
    bin.indices.push(index)
    bin.room -= length
  }
  return bins.map(({ indices }) => indices)
}

async function prefillBin(
  prompts: readonly (readonly number[])[],
  bin: readonly number[],
  results: readonly { readonly cache: BlockCache; logits: Float32Array }[],
  parts: PackingParts,
): Promise<void> {
  const chosen = bin.map((index) => ({ ids: prompts[index] ?? [], result: results[index] }))
  const [first] = chosen
  if (chosen.length === 1 && first?.result !== undefined) {
    first.result.logits = await parts.prefill(first.ids, first.result.cache)
    return
  }
  const segments: Segment[] = chosen.flatMap(({ ids, result }) => (result === undefined ? [] : [{ cache: result.cache, rows: ids.length }]))
  const ids = chosen.flatMap((one) => [...one.ids])
  const positions = Int32Array.from(chosen.flatMap((one) => [...one.ids.keys()]))
  const lastOnly = ids.length >= fewestForLastOnly * chosen.length
  const rows = await parts.run(parts.embed(ids), positions, segments, lastOnly)
  const last = lastOnly ? rows : lastRows(rows, segments, parts.width)
  const logits = await parts.logits(last)
  const vocabulary = logits.length / chosen.length
  for (const [at, { result }] of chosen.entries()) {
    if (result === undefined) continue
    result.logits = logits.slice(at * vocabulary, (at + 1) * vocabulary)
    result.cache.lastHidden = last.slice(at * parts.width, (at + 1) * parts.width)
  }
}
