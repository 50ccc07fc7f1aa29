/**
 * One measured reader in a process of its own, so that peak memory is its own. Reads commands, one JSON object a line, from standard input
 * (`{ "tokens": 512 }`: prefill so many from an empty cache; `{ "decode": 32 }`: generate so many after the last prefill; `{ "peak": true }`),
 * and answers each with one line.
 *
 * Arguments: `ours` or `peer`, then the model file.
 */
import { createInterface } from 'node:readline'
import { withFileBytes } from './file-bytes.ts'

/** What both readers can do. Times are in seconds. */
interface Reader {
  prefill(tokens: number): Promise<number>
  decode(tokens: number): Promise<number>
}

interface Command {
  readonly tokens?: number
  readonly decode?: number
  readonly peak?: boolean
}

const threads = 2
const [kind = '', path = ''] = process.argv.slice(2)

/** The same ids for both: nothing about speed depends on which they are. */
function someIds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 100 + ((index * 7919) % 40_000))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function openOurs(): Promise<Reader> {
  const runtime = await import('onnxruntime-node')
  const { openDecoder } = await import('../attention/index.ts')
  const decoder = await withFileBytes(path, (source) => openDecoder({ runtime, source, threads }))
  let cache = decoder.createCache()
  let logits = new Float32Array() as Float32Array
  return {
    prefill: async (tokens) => {
      cache.dispose()
      cache = decoder.createCache()
      const ids = someIds(tokens)
      return await timed(async () => {
        logits = await decoder.prefill(ids, cache)
      })
    },
    // The last token is not fed, so one more is asked for.
    decode: (tokens) =>
      timed(async () => {
        const stream = decoder.generate(cache, logits, { maxTokens: tokens + 1 })
        for await (const _ of stream);
      }),
  }
}

async function openPeer(): Promise<Reader> {
  const { getLlama } = await import('node-llama-cpp')
  const llama = await getLlama({ build: 'never', gpu: false, maxThreads: threads })
  const model = await llama.loadModel({ modelPath: path })
  const context = await model.createContext({ contextSize: 8192, sequences: 1, threads })
  const sequence = context.getSequence()
  let last = 0
  return {
    prefill: async (tokens) => {
      await sequence.clearHistory()
      const ids = someIds(tokens)
      last = ids.at(-1) ?? 0
      return await timed(() => sequence.evaluateWithoutGeneratingNewTokens(ids as never))
    },
    decode: (tokens) =>
      timed(async () => {
        let count = 0
        for await (const _ of sequence.evaluate([last] as never, { temperature: 0 })) if (++count === tokens) break
      }),
  }
}

async function answer(reader: Reader, command: Command): Promise<object> {
  if (command.tokens !== undefined) return { seconds: await reader.prefill(command.tokens) }
  if (command.decode !== undefined) return { seconds: await reader.decode(command.decode) }
  return { peakMegabytes: process.resourceUsage().maxRSS / 1024 }
}

const started = performance.now()
const reader = await (kind === 'ours' ? openOurs() : openPeer())
process.stdout.write(`${JSON.stringify({ loadSeconds: (performance.now() - started) / 1000 })}\n`)
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(reader, JSON.parse(line) as Command))}\n`)
}
process.exit(0)
