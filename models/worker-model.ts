import { checkWindow, encodeChat, type PrefixStats } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import type { ChatMessage } from './chat-model.ts'
import type { CacheHandle } from './cache-handle.ts'
import type { Evidence, EvidenceQuery } from './evidence-model.ts'
import { meanOverHeads, rangesOf } from './evidence-spans.ts'
import type { ModelDescription } from './describe.ts'
import { encodeStart, withoutStart } from './encode-start.ts'
import { type CopiedSpan, type Likelihood, likelihoodOf, type LikelihoodOptions, type LikelihoodQuery } from './likelihood-model.ts'
import type { LoadOptions, LocalCallOptions, LocalModel, LocalReply, OpenCacheOptions } from './local-model.ts'
import type { LocalModelParts } from './local-model-parts.ts'
import type { GenerateCall, GenerateResult, ScoreItem } from './local-protocol.ts'
import type { HomerCallOptions, HomerReading, HomerSettings, HomerText, HomerTree } from './homer-model.ts'
import { ModelCaches } from './model-caches.ts'
import { constraintSpec } from './output-constraint.ts'
import { partStream } from './part-stream.ts'
import { replyMetadata } from './reply-metadata.ts'
import { ReplyText } from './reply-text.ts'
import { type EngineHold, releasePriority } from './shared-engine.ts'
import { tokenSpans, trimmedSpan, wordEnds, wordStarts } from './token-spans.ts'
import { WorkerTree } from './worker-tree.ts'

/** What two cores do, with some room (see `bench read-speed`). */
const SPEED = { input: 400, output: 25 }
/** It runs on this machine. */
const FREE = { input: 0, output: 0 }

/** Longest reply when nothing is asked for: small models repeat themselves long before. */
const longestReply = 1024

/** Most tokens tried at once where a reply quotes its messages. */
const draftTokens = 16

/** What says, in plain text, that a copied answer is over. */
const endings = ['\n', '\n\n', '.', '.\n']

/** A local model whose calls a worker thread answers; token ids and cache handles cross to it. Made by `openLocalModel`. */
export class WorkerModel implements LocalModel {
  readonly id: string
  readonly window: number
  readonly #parts: LocalModelParts
  readonly #caches: ModelCaches
  readonly #trees = new Set<WorkerTree>()
  #description: ModelDescription | undefined
  #disposed: Promise<void> | undefined

  constructor(parts: LocalModelParts) {
    this.id = parts.id
    this.window = parts.config.window
    this.#parts = parts
    this.#caches = new ModelCaches(parts)
  }

  describe(): ModelDescription {
    const { id, window } = this
    const maxOutput = Math.min(longestReply, Math.floor(window / 4))
    const count = (text: string): number => this.count(text)
    this.#description ??= {
      id,
      window,
      maxOutput,
      count,
      exact: true,
      margin: 0,
      perMessage: this.#tokensPerMessage(),
      price: FREE,
      speed: SPEED,
    }
    return this.#description
  }

  count(text: string): number {
    return this.#parts.tokenizer.encode(text).length
  }

  async load(options: LoadOptions = {}): Promise<void> {
    await this.#engine().call('load', this.#parts.spec, { ...options, model: this.id })
  }

  async invoke(messages: ChatMessage[], options: LocalCallOptions = {}): Promise<LocalReply> {
    let content = ''
    let last: LocalReply | undefined
    for await (const part of await this.stream(messages, options)) {
      content += part.content
      last = part
    }
    return { ...last, content }
  }

  async stream(messages: ChatMessage[], options: LocalCallOptions = {}): Promise<AsyncIterable<LocalReply>> {
    options.signal?.throwIfAborted()
    return this.#reply(this.#prepare(messages, options), options)
  }

  async logProbs(queries: readonly LikelihoodQuery[], options: LikelihoodOptions = {}): Promise<Likelihood[]> {
    const engine = this.#engine()
    options.signal?.throwIfAborted()
    const items = queries.map((query) => this.#scoreItem(query))
    if (items.length === 0) return []
    const scores = await engine.call('score', { decoder: this.#parts.spec, items }, { ...options, model: this.id })
    return scores.map((tokens) => likelihoodOf([...tokens]))
  }

  get evidenceHeads(): number {
    return this.#parts.heads?.length ?? 0
  }

  /** @throws TypeError when no head profile of the model is known */
  async evidence(queries: readonly EvidenceQuery[], options: LikelihoodOptions = {}): Promise<Evidence[]> {
    const engine = this.#engine()
    const { heads, spec, tokenizer } = this.#parts
    options.signal?.throwIfAborted()
    if (heads === undefined)
      throw new TypeError(`Cannot weigh evidence as no head profile of the model is known: ${this.id}. Give one to openLocalModel`)
    const items = queries.map((query) => ({ ...this.#scoreItem(query), spans: rangesOf(tokenizer, query) }))
    if (items.length === 0) return []
    const found = await engine.call('evidence', { decoder: spec, items, heads }, { ...options, model: this.id })
    return found.map(({ scores, weights }) => {
      const { logProb, tokens } = likelihoodOf([...scores])
      return { logProb, tokens, weights: meanOverHeads(weights, heads.length) }
    })
  }

  async copy(prompt: string, source: string, options: LikelihoodOptions & { readonly maxTokens: number }): Promise<CopiedSpan | undefined> {
    const { maxTokens, ...rest } = options
    const engine = this.#engine()
    const { tokenizer, spec } = this.#parts
    const ids = encodeStart(tokenizer, prompt)
    if (ids.length === 0) throw new RangeError('Cannot copy as the prompt is empty')
    if (!(maxTokens >= 1)) throw new RangeError(`Cannot copy as maxTokens is below 1: ${maxTokens}`)
    checkWindow('Cannot copy', { prompt: ids.length, output: maxTokens }, this.window)
    const spans = tokenSpans(tokenizer, source)
    const places = { source: spans.ids, starts: wordStarts(source, spans), ends: wordEnds(source, spans) }
    const call = { decoder: spec, prompt: ids, ...places, maxTokens, stop: [...this.#stop(), ...this.#endings()] }
    const copied = await engine.call('copy', call, { ...rest, model: this.id })
    return copied && { ...trimmedSpan(source, spans, copied.from, copied.to), logProb: copied.logProb }
  }

  async openCache(text: string, options: OpenCacheOptions = {}): Promise<CacheHandle> {
    this.#engine()
    options.signal?.throwIfAborted()
    return this.#caches.open(text, options)
  }

  async loadCache(path: string, options: LoadOptions = {}): Promise<CacheHandle> {
    this.#engine()
    options.signal?.throwIfAborted()
    return this.#caches.load(path, options)
  }

  homerTree(text: HomerText, settings: HomerSettings = {}): HomerTree {
    this.#engine()
    const tree = new WorkerTree(this.#parts, this.#caches, text, settings, () => this.#trees.delete(tree))
    this.#trees.add(tree)
    return tree
  }

  async homer(text: HomerText, options: HomerSettings & Omit<HomerCallOptions, 'saved'> = {}): Promise<HomerReading> {
    options.signal?.throwIfAborted()
    await using tree = this.homerTree(text, options)
    return await tree.read(options)
  }

  async prefixStats(): Promise<PrefixStats | undefined> {
    const engine = this.#engine()
    return engine.running ? engine.call('prefixStats', this.#parts.spec, { model: this.id }) : undefined
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#free()
    return this.#disposed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  async #free(): Promise<void> {
    const { spec, hold } = this.#parts
    const freeCaches = this.#caches.end()
    const trees = [...this.#trees]
    await hold.release(async () => {
      await freeCaches()
      await Promise.all(trees.map((tree) => tree.dispose()))
      await hold.engine.call('release', spec, { priority: releasePriority, model: this.id })
    })
  }

  #engine(): EngineHold['engine'] {
    if (this.#disposed !== undefined) throw new TypeError(`Cannot use a local model as it is disposed: ${this.id}. Open it again`)
    return this.#parts.hold.engine
  }

  #prepare(messages: ChatMessage[], options: LocalCallOptions): GenerateCall {
    const { signal: _, priority: __, maxTokens, stop, constraint, lookup, after, ...sampling } = options
    const { tokenizer, spec } = this.#parts
    if (constraint !== undefined && stop !== undefined && stop.length > 0)
      throw new TypeError(`Cannot reply under a constraint as stop strings would cut the reply: ${JSON.stringify(stop)}. Leave them out`)
    if (maxTokens !== undefined && !(maxTokens >= 1)) throw new RangeError(`Cannot reply as maxTokens is below 1: ${maxTokens}`)
    const encoded = this.#encode(messages)
    const prompt = after === undefined ? encoded : withoutStart(tokenizer, encoded)
    const cache = after?.tokens ?? 0
    const output = maxTokens ?? Math.max(1, Math.min(this.describe().maxOutput, this.window - cache - prompt.length))
    checkWindow('Cannot reply', { ...(after && { cache }), messages: prompt.length, output }, this.window)
    return {
      ...sampling,
      decoder: spec,
      prompt,
      maxTokens: output,
      stop: this.#stop(),
      ...(stop !== undefined && { stopStrings: stop }),
      ...(constraint !== undefined && { constraint: constraintSpec(constraint, tokenizer) }),
      ...(lookup !== undefined && lookup !== false && { lookup: lookup === true ? draftTokens : lookup }),
      ...(after !== undefined && { after: this.#caches.numberOf(after) }),
    }
  }

  async *#reply(call: GenerateCall, { signal, priority = 0, after }: LocalCallOptions): AsyncGenerator<LocalReply, undefined> {
    const engine = this.#engine()
    const leaving = new AbortController()
    const either = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
    const options = { signal: either, priority, model: this.id }
    let result: GenerateResult = { finish: 'stop', drafted: 0, accepted: 0 }
    const tokens = partStream<number, void>(
      async (onPart) => {
        result = await engine.call('generate', call, { ...options, onPart })
      },
      () => leaving.abort(),
    )
    const { tokenizer } = this.#parts
    const text = new ReplyText(tokenizer, call.stopStrings)
    let count = 0
    for await (const id of tokens) {
      count++
      const content = text.push(id)
      if (content !== '') yield { content }
    }
    const details = result.cached === undefined ? {} : { input_token_details: { cache_read: result.cached } }
    const usage_metadata = { input_tokens: (after?.tokens ?? 0) + call.prompt.length, output_tokens: count, ...details }
    yield { content: text.end(), usage_metadata, response_metadata: replyMetadata(result, tokenizer) }
  }

  #encode(messages: readonly ChatMessage[]): number[] {
    const { template, tokenizer, spec } = this.#parts
    if (template !== undefined) return encodeChat(tokenizer, template, messages)
    const message = `Cannot answer messages as the model file has no chat template: ${spec.path}. Use a model tuned for instructions`
    throw new ModelFileError(message, { file: spec.path })
  }

  #scoreItem({ prefix, text }: LikelihoodQuery): ScoreItem {
    const { tokenizer } = this.#parts
    const item = { prefix: encodeStart(tokenizer, prefix), text: tokenizer.encode(text) }
    if (item.prefix.length === 0)
      throw new RangeError('Cannot score a text as its prefix is empty, so that its first token has no condition')
    checkWindow('Cannot score a text', { prefix: item.prefix.length, text: item.text.length }, this.window)
    return item
  }

  /** A call of one message carries all that the format adds: a system message of the template's own, and the header of the reply. */
  #tokensPerMessage(): number {
    const { template } = this.#parts
    return template === undefined ? 0 : this.#encode([{ role: 'user', content: '' }]).length
  }

  #stop(): number[] {
    const { eos, endOfTurn } = this.#parts.tokenizer.special
    return [...new Set([eos, endOfTurn].filter((id) => id !== undefined))]
  }

  #endings(): number[] {
    return endings.map((text) => this.#parts.tokenizer.encode(text)).flatMap((ids) => (ids.length === 1 ? ids : []))
  }
}
