// oxlint-disable no-underscore-dangle -- LangChain's names of what a provider overrides
import { randomUUID } from 'node:crypto'
import type { CallbackManagerForLLMRun, Callbacks } from '@langchain/core/callbacks/manager'
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from '@langchain/core/language_models/base'
import { BaseChatModel, type BindToolsInput, type LangSmithParams } from '@langchain/core/language_models/chat_models'
import type { ModelProfile } from '@langchain/core/language_models/profile'
import type { AIMessageChunk, BaseMessage, BaseMessageLike, MessageContent } from '@langchain/core/messages'
import type { ChatGenerationChunk, ChatResult, LLMResult } from '@langchain/core/outputs'
import type { Runnable, RunnableConfig } from '@langchain/core/runnables'
import { type LocalCallOptions, type LocalModel, type ModelDescription, openLocalModel } from '../models/index.ts'
import type { LocalChatCallOptions, LocalChatFields } from './chat-options.ts'
import { replyChunk, usageIn, wholeMessage } from './reply-chunk.ts'
import { replyForm } from './reply-form.ts'
import { replyParts } from './reply-parts.ts'
import { type OutputSchema, type Structured, structuredOutput } from './structured-output.ts'
import { toolDefinition } from './tool-definition.ts'
import { contentText, toTurns } from './to-turns.ts'

/**
 * A model that runs in this process as a chat model of LangChain: streaming, callbacks, abort, usage, tools and structured output as of any other
 * provider. Calls of tools and structured output are written under a constraint, so they are always valid by their schema. A reply makes one call of a
 * tool at most. Nothing is retried and nothing is downloaded.
 *
 * @example
 * ```ts
 * await using model = await LocalChatModel.open({ maxTokens: 200 })
 * const { content } = await model.invoke('Who wrote Moby-Dick?')
 * ```
 */
export class LocalChatModel extends BaseChatModel<LocalChatCallOptions> {
  static override lc_name(): string {
    return 'LocalChatModel'
  }

  readonly model: string | undefined
  readonly threads: number | undefined
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly topK: number | undefined
  readonly minP: number | undefined
  readonly repetitionPenalty: number | undefined
  readonly maxTokens: number | undefined
  readonly seed: number | undefined
  readonly stop: readonly string[] | undefined
  // Not `#private`: callers view a model through objects that inherit from it.
  private readonly makeId: () => string
  private readonly state: { local: LocalModel | undefined; opening: Promise<LocalModel> | undefined; readonly owned: boolean }

  constructor(fields: LocalChatFields = {}) {
    super({ ...fields, maxRetries: 0 })
    const { model, threads, temperature, topP, topK, minP, repetitionPenalty, maxTokens, seed, stop, makeId = randomUUID } = fields
    const given = typeof model === 'object' ? model : undefined
    this.lc_kwargs = serialisable(fields)
    this.lc_serializable = given === undefined
    this.model = typeof model === 'string' ? model : undefined
    this.threads = threads
    this.temperature = temperature
    this.topP = topP
    this.topK = topK
    this.minP = minP
    this.repetitionPenalty = repetitionPenalty
    this.maxTokens = maxTokens
    this.seed = seed
    this.stop = stop
    this.makeId = makeId
    this.state = { local: given, opening: undefined, owned: given === undefined }
  }

  /** A model whose file is read, so that its window and its counter are known; the weights are loaded at the first call. */
  static async open(fields: LocalChatFields = {}): Promise<LocalChatModel> {
    const model = new LocalChatModel(fields)
    await model.local()
    return model
  }

  /** The model that replies: opened at the first use where it was not given. */
  async local(): Promise<LocalModel> {
    const { state, model, threads } = this
    if (state.local !== undefined) return state.local
    state.opening ??= openLocalModel({ ...(model !== undefined && { path: model }), ...(threads !== undefined && { threads }) })
    try {
      state.local = await state.opening
    } catch (error) {
      state.opening = undefined // the next call may find the file
      throw error
    }
    return state.local
  }

  /** Frees the model if it was opened here; one that was given is its owner's to free. */
  async dispose(): Promise<void> {
    const { state } = this
    if (!state.owned) return
    await (state.local ?? (await state.opening?.catch(() => undefined)))?.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  /** @throws TypeError before the model file is read: see `open` */
  describe(): ModelDescription {
    const { state, maxTokens } = this
    if (state.local === undefined)
      throw new TypeError(
        `Cannot describe a local model as its file is not read yet: ${this.model ?? 'the bundled one'}. Await LocalChatModel.open`,
      )
    const description = state.local.describe()
    const settings = this.settings()
    const id = Object.keys(settings).length === 0 ? description.id : `${description.id} ${JSON.stringify(settings)}`
    return { ...description, id, maxOutput: Math.min(maxTokens ?? description.maxOutput, description.maxOutput) }
  }

  /** What the model can do; its window and longest reply are known once its file is read. */
  override get profile(): ModelProfile {
    const description = this.state.local?.describe()
    const { maxTokens } = this
    return {
      ...(description && { maxInputTokens: description.window, maxOutputTokens: maxTokens ?? description.maxOutput }),
      toolCalling: true,
      toolChoice: true,
      structuredOutput: true,
      reasoningOutput: false,
      imageInputs: false,
      audioInputs: false,
      videoInputs: false,
      pdfInputs: false,
      imageOutputs: false,
      audioOutputs: false,
      videoOutputs: false,
    }
  }

  override get callKeys(): string[] {
    return [...super.callKeys, ...SETTINGS, 'priority', 'after', 'tools', 'tool_choice', 'response_format']
  }

  override _llmType(): string {
    return 'scriptorium'
  }

  override _identifyingParams(): Record<string, unknown> {
    return { model: this.state.local?.describe().id ?? this.model ?? 'bundled', ...this.settings() }
  }

  override invocationParams(options: Partial<LocalChatCallOptions> = {}): Record<string, unknown> {
    const { stop, tools, tool_choice, response_format } = options
    const asked = { ...pick(options, SETTINGS), ...withoutUndefined({ stop, tools, tool_choice, response_format }) }
    return { ...this._identifyingParams(), _type: this._llmType(), ...asked }
  }

  override getLsParams(options: this['ParsedCallOptions']): LangSmithParams {
    const { temperature = this.temperature, maxTokens = this.maxTokens, stop = this.stop } = options
    return {
      ls_provider: 'scriptorium',
      ls_model_name: String(this._identifyingParams()['model']),
      ls_model_type: 'chat',
      ...(temperature !== undefined && { ls_temperature: temperature }),
      ...(maxTokens !== undefined && { ls_max_tokens: maxTokens }),
      ...(stop !== undefined && { ls_stop: [...stop] }),
    }
  }

  /** Tokens of a content by the model's own tokenizer. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    return (await this.local()).describe().count(contentText(content))
  }

  /**
   * The same model with tools. `tool_choice` is `auto` (the default), `none`, `any` or `required`, or the name of the tool to call.
   *
   * @throws TypeError for a tool that is not a LangChain tool, a function definition, or a name with a schema
   */
  override bindTools(
    tools: BindToolsInput[],
    options: Partial<LocalChatCallOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, LocalChatCallOptions> {
    return this.withConfig({ ...options, tools: tools.map(toolDefinition) })
  }

  /** A signal and a priority change no reply; what a cache holds is told by its key. */
  override _getSerializedCacheKeyParametersForCall(options: LocalChatCallOptions & { config?: RunnableConfig }): string {
    const { signal: _, priority: __, after, ...rest } = options
    const parameters = super._getSerializedCacheKeyParametersForCall(rest)
    return after === undefined ? parameters : `${parameters},after:${after.key}`
  }

  override async generate(
    messages: BaseMessageLike[][],
    options?: string[] | Partial<LocalChatCallOptions>,
    callbacks?: Callbacks,
  ): Promise<LLMResult> {
    await this.local() // its id is part of the cache's keys
    return super.generate(messages, options, callbacks)
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    let whole: ChatGenerationChunk | undefined
    for await (const chunk of this._streamResponseChunks(messages, options)) whole = whole?.concat(chunk) ?? chunk
    if (whole === undefined) throw new TypeError('Cannot reply as the model gave no part of a reply')
    const message = wholeMessage(whole.message)
    const { input_tokens: promptTokens, output_tokens: completionTokens, total_tokens: totalTokens } = usageIn(message) ?? {}
    return { generations: [{ text: whole.text, message }], llmOutput: { tokenUsage: { promptTokens, completionTokens, totalTokens } } }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    options.signal?.throwIfAborted()
    const form = replyForm(options)
    const turns = toTurns(messages)
    const local = await this.local()
    const stop = options.stop ?? this.stop ?? []
    for await (const part of replyParts(local, turns, form, this.replyOptions(options), stop)) {
      const chunk = replyChunk(part, local.describe().id, this.makeId)
      yield chunk
      await runManager?.handleLLMNewToken(chunk.text, { prompt: 0, completion: 0 }, undefined, undefined, undefined, { chunk })
    }
  }

  override withStructuredOutput<Output extends Record<string, unknown> = Record<string, unknown>>(
    schema: OutputSchema<Output>,
    options?: StructuredOutputMethodOptions,
  ): Runnable<BaseLanguageModelInput, Output>
  override withStructuredOutput<Output extends Record<string, unknown> = Record<string, unknown>>(
    schema: OutputSchema<Output>,
    options?: StructuredOutputMethodOptions<true>,
  ): Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: Output }>
  override withStructuredOutput<Output extends Record<string, unknown> = Record<string, unknown>>(
    schema: OutputSchema<Output>,
    options: StructuredOutputMethodOptions<boolean> = {},
  ): Structured<Output> {
    return structuredOutput(this, schema, options)
  }

  private settings(): Record<string, unknown> {
    return withoutUndefined({ ...pick(this, SETTINGS), stop: this.stop })
  }

  private replyOptions(options: this['ParsedCallOptions']): LocalCallOptions {
    const { signal, priority, after } = options
    return { ...pick(this, SETTINGS), ...pick(options, SETTINGS), ...withoutUndefined({ signal, priority, after }) }
  }
}

/** What a constructor and a call alike may set. */
const SETTINGS = ['temperature', 'topP', 'topK', 'minP', 'repetitionPenalty', 'maxTokens', 'seed'] as const

function pick(
  from: { readonly [Key in (typeof SETTINGS)[number]]?: number | undefined },
  names: typeof SETTINGS,
): Pick<LocalCallOptions, (typeof SETTINGS)[number]> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
}

/** Fields that can be written as JSON: a model of this process cannot, nor can a function. */
function serialisable(fields: LocalChatFields): Record<string, unknown> {
  const { model, makeId: _, ...rest } = fields
  return { ...rest, ...(typeof model === 'string' && { model }) }
}

function withoutUndefined<T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>
  }
}
