/** What the worker can do, over decoders and encoders that it opens at first use and keeps until they are released. */
import { readFile } from 'node:fs/promises'
import {
  createTokenizer,
  type Decoder,
  type Encoder,
  type OnnxRuntime,
  openDecoder,
  type OpenDecoderOptions,
  openEncoder,
  type PrefixDecoder,
  reusePrefixes,
  type TokenVectors,
} from '../attention/index.ts'
import { loadOptional, ModelFileError } from '../errors/index.ts'
import { silent } from '../log/index.ts'
import { CacheTable } from './cache-table.ts'
import { CompiledConstraints } from './compiled-constraints.ts'
import { copyTokens } from './copy-tokens.ts'
import { openFileSource } from './file-source.ts'
import { prepareReply } from './generate-reply.ts'
import { findAdapter } from './gpu-adapter.ts'
import { HomerTrees } from './homer-trees.ts'
import { openModelSource } from './model-source.ts'
import type {
  Argument,
  CallContext,
  DecoderSpec,
  EmbedCall,
  EncoderSpec,
  EvidenceCall,
  EvidenceNumbers,
  GenerateCall,
  GenerateResult,
  LocalMethod,
  LocalMethods,
  MergeCall,
  MergedText,
  Result,
  ScoreCall,
} from './local-protocol.ts'
import { scoreItems, type ScoreWatch } from './score-items.ts'
import { weighSpans } from './weigh-spans.ts'

/** Enough for a system prompt, a long chunk and what was asked of it with a small model. */
const defaultPrefixBytes = 256 * 2 ** 20

/** Texts embedded between two looks at the queue. */
const textsPerTurn = 8

type Handlers = { [M in LocalMethod]: (argument: Argument<M>, context: CallContext) => Promise<Result<M>> }

export class LocalMachines {
  readonly #decoders = new Map<string, Promise<PrefixDecoder>>()
  /** Where the call that runs has its notes go. */
  #log: CallContext['log']
  readonly #encoders = new Map<string, Promise<Encoder>>()
  readonly #caches: CacheTable = new CacheTable((spec, signal) => this.#decoder(spec, signal))
  readonly #trees: HomerTrees = new HomerTrees((spec, signal) => this.#decoder(spec, signal))
  readonly #constraints: CompiledConstraints = new CompiledConstraints()
  readonly #handlers: Handlers = {
    load: async (spec, { signal, progress }) => (await this.#decoder(spec, signal, progress)).config,
    release: (spec) => this.#release(spec),
    generate: (call, context) => this.#generate(call, context),
    score: (call, context) => this.#score(call, context),
    evidence: (call, context) => this.#evidence(call, context),
    prefixStats: async (spec) => (await this.#decoders.get(keyOf(spec)))?.prefixStats,
    copy: async (call, { signal }) => copyTokens(await this.#decoder(call.decoder, signal), call, signal),
    openCache: (call, context) => this.#caches.open(call, context),
    forkCache: async (call) => this.#caches.fork(call),
    saveCache: (call) => this.#caches.save(call),
    loadCache: (call, context) => this.#caches.load(call, context),
    closeCaches: async (ids) => this.#caches.close(ids),
    growNode: (call, context) => this.#trees.grow(call, context),
    mergeText: (call, context) => this.#merge(call, context),
    closeTree: async (tree) => this.#trees.close(tree),
    embed: (call, context) => this.#embed(call, context),
    embedTokens: (call, context) => this.#embedTokens(call, context),
  }

  /** Runs one method; its argument comes from the other thread, so its type is known there and not here. */
  run(method: LocalMethod, argument: unknown, context: CallContext): Promise<LocalMethods[LocalMethod]['result']> {
    this.#log = context.log
    const handler = this.#handlers[method] as (argument: unknown, context: CallContext) => Promise<LocalMethods[LocalMethod]['result']>
    return handler(argument, context)
  }

  /** Frees everything that is open. */
  async dispose(): Promise<void> {
    this.#caches.dispose()
    this.#trees.dispose()
    const machines = await Promise.allSettled([...this.#decoders.values(), ...this.#encoders.values()])
    this.#decoders.clear()
    this.#encoders.clear()
    for (const machine of machines) if (machine.status === 'fulfilled') await machine.value.dispose()
  }

  async #generate(call: GenerateCall, { signal, part }: CallContext): Promise<GenerateResult> {
    const decoder = await this.#decoder(call.decoder, signal)
    const reply = prepareReply(decoder, call, { signal, part }, this.#constraints)
    const before = call.after === undefined ? undefined : this.#caches.get(call.after)
    using cache = before === undefined ? decoder.createCache() : before.fork()
    const logits = await decoder.prefill(call.prompt, cache, { signal })
    const cached = before?.length ?? decoder.reused(cache)
    return { ...(await reply.run(cache, logits)), ...(cached > 0 && { cached }) }
  }

  async #score(call: ScoreCall, context: CallContext): Promise<Float32Array[]> {
    const after = call.after === undefined ? undefined : this.#caches.get(call.after)
    return scoreItems(await this.#decoder(call.decoder, context.signal), call.items, context, after)
  }

  async #evidence({ decoder: spec, items, heads }: EvidenceCall, context: CallContext): Promise<EvidenceNumbers[]> {
    const decoder = await this.#decoder(spec, context.signal)
    const weights: Float32Array[] = []
    const watch: ScoreWatch = {
      begin: (slice, start) => {
        const texts = slice.map(({ prefix, text }, at) => ({
          first: start + prefix.length,
          rows: Math.max(1, text.length - 1),
          spans: (items[weights.length + at]?.spans ?? []).map(([from, to]) => [start + from, start + to] as const),
        }))
        const watched = weighSpans(decoder.config, heads, texts)
        weights.push(...watched.weights)
        return watched.observe
      },
    }
    const scores = await scoreItems(decoder, items, context, undefined, watch)
    return scores.map((score, at) => ({ scores: score, weights: weights[at] ?? new Float32Array(0) }))
  }

  async #merge(call: MergeCall, context: CallContext): Promise<MergedText> {
    const { cache, sources, scores, peakBytes } = await this.#trees.merge(call, context)
    return { ...this.#caches.keep(call.cache, cache), sources, scores, peakBytes }
  }

  async #embed({ encoder: spec, texts }: EmbedCall, { signal, progress, giveWay }: CallContext): Promise<Float32Array[]> {
    const encoder = await this.#encoder(spec)
    const vectors: Float32Array[] = []
    for (let at = 0; at < texts.length; at += textsPerTurn) {
      vectors.push(...(await encoder.embed(texts.slice(at, at + textsPerTurn), { signal })))
      progress(vectors.length)
      await giveWay()
    }
    return vectors
  }

  async #embedTokens({ encoder: spec, texts }: EmbedCall, { signal, progress, giveWay }: CallContext): Promise<TokenVectors[]> {
    const encoder = await this.#encoder(spec)
    const found: TokenVectors[] = []
    for (const text of texts) {
      found.push(...(await encoder.embedTokens([text], { signal })))
      progress(found.length)
      await giveWay()
    }
    return found
  }

  #decoder(spec: DecoderSpec, signal: AbortSignal, onProgress?: (share: number) => void): Promise<PrefixDecoder> {
    return kept(this.#decoders, keyOf(spec), () =>
      loadDecoder(spec, {
        signal,
        logger: { ...silent, warn: (fields, message) => this.#log?.(fields, message ?? '') },
        ...(onProgress && { onProgress }),
      }),
    )
  }

  #encoder(spec: EncoderSpec): Promise<Encoder> {
    return kept(this.#encoders, keyOf(spec), () => loadEncoder(spec))
  }

  async #release(spec: DecoderSpec | EncoderSpec): Promise<undefined> {
    const machines: Map<string, Promise<Decoder | Encoder>> = 'path' in spec ? this.#decoders : this.#encoders
    const machine = machines.get(keyOf(spec))
    machines.delete(keyOf(spec))
    await (await machine)?.dispose()
    return undefined
  }
}

function keyOf(spec: DecoderSpec | EncoderSpec): string {
  return JSON.stringify(spec)
}

/** What is kept under `key`, or what `open` gives; a failure is not kept, so that the next call tries again. */
async function kept<T>(known: Map<string, Promise<T>>, key: string, open: () => Promise<T>): Promise<T> {
  const opening = known.get(key) ?? open()
  known.set(key, opening)
  try {
    return await opening
  } catch (error) {
    known.delete(key)
    throw error
  }
}

async function loadRuntime(): Promise<OnnxRuntime> {
  return loadOptional('onnxruntime-node', 'run a local model', () => import('onnxruntime-node'))
}

type LoadOptions = Pick<OpenDecoderOptions, 'signal' | 'logger' | 'onProgress'>

async function loadDecoder(spec: DecoderSpec, loading: LoadOptions): Promise<PrefixDecoder> {
  const { path, threads, device = 'cpu', prefixCacheBytes = defaultPrefixBytes } = spec
  const runtime = await loadRuntime()
  await using source = await openModelSource(path)
  const options = { runtime, source, device, findAdapter, ...(threads !== undefined && { threads }), ...loading }
  return reusePrefixes(await openDecoder(options), prefixCacheBytes)
}

async function loadEncoder({ model, tokenizer, maxTokens, threads }: EncoderSpec): Promise<Encoder> {
  const runtime = await loadRuntime()
  const bytes = await readWhole(model)
  const parsed = parseTokenizer(tokenizer, new TextDecoder().decode(await readWhole(tokenizer)))
  return openEncoder({ runtime, model: bytes, tokenizer: parsed, maxTokens, ...(threads !== undefined && { threads }) })
}

async function readWhole(path: string): Promise<Uint8Array> {
  // Opened first for its errors, which name the path and what to do.
  await (await openFileSource(path)).close()
  return readFile(path)
}

function parseTokenizer(path: string, text: string): ReturnType<typeof createTokenizer> {
  try {
    return createTokenizer(JSON.parse(text) as object)
  } catch (cause) {
    throw new ModelFileError(`Cannot open an encoder as its tokenizer.json is damaged: ${path}. Copy or install it again`, {
      file: path,
      cause,
    })
  }
}
