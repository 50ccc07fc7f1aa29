/** Ways to answer from a long text inside the model, each on the same items; and which steps lead from the paper's rule to the best of them. */
import { fileURLToPath } from 'node:url'
import * as runtime from 'onnxruntime-node'
import {
  type AttentionHead,
  calibratedSignificance,
  type Decoder,
  type DistanceBias,
  homer,
  type HomerOptions,
  type HomerResult,
  openDecoder,
  readAgain,
  retrievalSignificance,
  scoreLeaves,
  type SurvivingSpan,
  survivingSpans,
} from '../attention/index.ts'
import { bestHeads, fileFingerprint, readDistanceBias, readHeadProfile } from '../models/index.ts'
import { withFileBytes } from './file-bytes.ts'
import { answerOf, passkeyAffixes, type PasskeyItem, saysKey } from './passkey.ts'

/** What the variants need to know of the model. */
export interface VariantModel {
  readonly decoder: Decoder
  readonly bias: DistanceBias
  readonly heads: readonly AttentionHead[]
}

/** The bundled model with its head profile and its calibration. */
export async function openVariantModel(): Promise<VariantModel & AsyncDisposable> {
  const file = (name: string): string => fileURLToPath(new URL(`../weights/models/smollm2-135m-instruct/${name}`, import.meta.url))
  return withFileBytes(file('model.gguf'), async (source) => {
    const decoder = await openDecoder({ runtime, source })
    const fingerprint = await fileFingerprint(source)
    return {
      decoder,
      heads: bestHeads(await readHeadProfile(file('heads.json'), fingerprint, decoder.config)),
      bias: await readDistanceBias(file('bias.json'), fingerprint, decoder.config),
      [Symbol.asyncDispose]: () => decoder.dispose(),
    }
  })
}

/** The paper's rule: its significance, and its warm-up of three eighths of the layers, 12 of 32. */
export function paperOptions({ decoder, bias }: VariantModel): Pick<HomerOptions, 'significance' | 'warmUp'> {
  return { significance: calibratedSignificance(bias), warmUp: Math.round((decoder.config.layers * 3) / 8) }
}

/** What came of one item. */
export interface VariantOutcome {
  /** Whether the answer is the key, by the way it was read. */
  readonly answered: Readonly<Record<string, boolean>>
  /** Whether a place that says the key survived whole; absent where nothing is cut. */
  readonly survived?: boolean
  readonly ms: number
}

export type Variant = (model: VariantModel, item: PasskeyItem, signal: AbortSignal) => Promise<VariantOutcome>

/** Most tokens of a node, prefix and suffix included. */
export const nodeTokens = 1_024
/** Most tokens of the spans that are read as text. */
export const spanTokens = 160

/** The whole prompt, which has to fit the window. */
export const direct: Variant = ({ decoder }, { prompt, key }, signal) =>
  timed(async () => {
    using cache = decoder.createCache()
    const logits = await decoder.prefill([...prompt.prefix, ...prompt.context, ...prompt.suffix], cache, { signal })
    return { answered: { direct: saysKey(await answerOf(decoder, cache, logits), key) } }
  })

/** The start of the text, as much of it as fits the window. Where the key is cut off nothing is asked, and the item is missed. */
export const truncated: Variant = async (model, item, signal) => {
  const { prefix, context, suffix } = item.prompt
  const room = model.decoder.config.window - prefix.length - suffix.length - 16
  const survived = item.mentions.some(({ end }) => end <= room)
  if (!survived) return { answered: { truncate: false }, survived, ms: 0 }
  const { answered, ms } = await direct(model, { ...item, prompt: { prefix, context: context.slice(0, room), suffix } }, signal)
  return { answered: { truncate: answered['direct'] === true }, survived, ms }
}

/** How a merged cache may be asked. */
export type Reading = 'cache' | 'again' | 'placed' | 'spans'

/** A merge, and the ways in which its result is read. */
export function merged(options: (model: VariantModel) => Omit<HomerOptions, 'signal'>, readings: readonly Reading[]): Variant {
  return (model, item, signal) =>
    timed(async () => {
      const result = await homer(model.decoder, item.prompt, { maxChunk: nodeTokens, ...options(model), signal })
      const answered: Record<string, boolean> = {}
      for (const reading of readings) answered[reading] = saysKey(await read(model.decoder, result, item, reading), item.key)
      result.cache.dispose()
      return { answered, survived: holdsKey(new Set(result.sources), item) }
    })
}

/** Leaves alone: no merges; the spans of the best tokens of all are read as text. */
export const leavesOnly: Variant = ({ decoder, heads }, item, signal) =>
  timed(async () => {
    const { prefix, suffix } = item.prompt
    const keep = nodeTokens - prefix.length - suffix.length
    const found = await scoreLeaves(decoder, item.prompt, {
      maxChunk: nodeTokens,
      keep,
      significance: retrievalSignificance({ heads }),
      signal,
    })
    const answer = await readSpans(decoder, item, survivingSpans(found, { most: spanTokens }))
    return { answered: { spans: saysKey(answer, item.key) }, survived: holdsKey(new Set(found.sources), item) }
  })

async function timed(run: () => Promise<Omit<VariantOutcome, 'ms'>>): Promise<VariantOutcome> {
  const began = performance.now()
  const outcome = await run()
  return { ...outcome, ms: Math.round(performance.now() - began) }
}

async function read(decoder: Decoder, result: HomerResult, item: PasskeyItem, reading: Reading): Promise<string> {
  if (reading === 'spans') return readSpans(decoder, item, survivingSpans(result, { most: spanTokens }))
  if (reading === 'cache') {
    using cache = result.cache.fork()
    return await answerOf(decoder, cache, result.logits)
  }
  const { cache, logits } = await readAgain(decoder, result.cache, item.prompt.suffix, { renumber: reading === 'placed' })
  using asked = cache
  return await answerOf(decoder, asked, logits)
}

/** Spans as a prompt of their own. */
async function readSpans(decoder: Decoder, { prompt }: PasskeyItem, spans: readonly SurvivingSpan[]): Promise<string> {
  const { prefix, suffix } = passkeyAffixes(decoder.tokenizer)
  const line = decoder.tokenizer.encode('\n')
  const context = spans.flatMap(({ start, end }) => [...prompt.context.slice(start, end), ...line])
  using cache = decoder.createCache()
  const logits = await decoder.prefill([...prefix, ...context, ...suffix], cache)
  return await answerOf(decoder, cache, logits)
}

function holdsKey(sources: ReadonlySet<number>, { mentions }: PasskeyItem): boolean {
  return mentions.some(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => start + index).every((token) => sources.has(token)),
  )
}
