/**
 * One text read in a process of its own, so that peak memory is its own. Prints one line, a `MemoryRun`.
 *
 * Arguments: `homer` or `dense`, the model file, tokens of the prompt, tokens of a node.
 */
import * as runtime from 'onnxruntime-node'
import { homer, openDecoder, retrievalSignificance } from '../attention/index.ts'
import { withFileBytes } from './file-bytes.ts'
import type { MemoryRun } from './homer-memory.ts'
import { mobyDick, passkeyAffixes } from './passkey.ts'

const [kind = '', path = '', tokenText = '', nodeText = ''] = process.argv.slice(2)
const [tokens, maxChunk] = [Number(tokenText), Number(nodeText)]

await using decoder = await withFileBytes(path, (source) => openDecoder({ runtime, source, threads: 2 }))
const { config, tokenizer } = decoder
const { prefix, suffix } = passkeyAffixes(tokenizer)
const context = tokenizer.encode(mobyDick()).slice(0, tokens - prefix.length - suffix.length)
const megabytes = (): number => process.resourceUsage().maxRSS / 1024
{
  // What any long read makes at first, such as weights in its arithmetic, is there before the clock starts.
  using cache = decoder.createCache()
  await decoder.prefill(context.slice(0, 512), cache)
}
const loadedMegabytes = megabytes()
const began = performance.now()
const bytes = await (kind === 'homer' ? mergedBytes() : denseBytes())
const run: MemoryRun = {
  bytes,
  seconds: (performance.now() - began) / 1000,
  loadedMegabytes,
  peakMegabytes: megabytes(),
  prefix: prefix.length,
  suffix: suffix.length,
  context: context.length,
  layers: config.layers,
  bytesPerTokenLayer: 2 * config.kvHeads * config.headDim * Float32Array.BYTES_PER_ELEMENT,
}
process.stdout.write(`${JSON.stringify(run)}\n`)

/** Most bytes of keys and values at one time. What is kept costs the same whichever head says so. */
async function mergedBytes(): Promise<number> {
  const significance = retrievalSignificance({ heads: [{ layer: Math.floor(config.layers / 2), head: 0 }] })
  return (await homer(decoder, { prefix, context, suffix }, { maxChunk, significance })).peakBytes
}

/** Positions beyond the window begin anew: what is computed is as much, what it means is of no matter here. */
async function denseBytes(): Promise<number> {
  const ids = [...prefix, ...context, ...suffix]
  using cache = decoder.createCache()
  await decoder.prefill(ids, cache, { positions: ids.map((_, index) => index % config.window) })
  return cache.bytes
}
