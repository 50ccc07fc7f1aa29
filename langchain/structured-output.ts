import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from '@langchain/core/language_models/base'
import {
  assembleStructuredOutputPipeline,
  createContentParser,
  createFunctionCallingParser,
} from '@langchain/core/language_models/structured_output'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { BaseMessage } from '@langchain/core/messages'
import type { Runnable } from '@langchain/core/runnables'
import type { SerializableSchema } from '@langchain/core/utils/standard_schema'
import type { InteropZodType } from '@langchain/core/utils/types'
import type { LocalChatCallOptions, ResponseFormat } from './chat-options.ts'
import { plainSchema } from './tool-definition.ts'

export type OutputSchema<Output extends Record<string, unknown>> =
  | InteropZodType<Output>
  | SerializableSchema<Output>
  | Record<string, unknown>

export type Structured<Output extends Record<string, unknown>> =
  | Runnable<BaseLanguageModelInput, Output>
  | Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: Output }>

/** What of `LocalChatModel` is needed. */
interface SchemaWriter extends BaseChatModel<LocalChatCallOptions> {
  bindTools: NonNullable<BaseChatModel<LocalChatCallOptions>['bindTools']>
}

const METHODS = ['jsonSchema', 'jsonMode', 'functionCalling']

/**
 * A model whose replies are values of a schema. With `jsonSchema`, the default, the reply is JSON that is valid by the schema; with `functionCalling`, the
 * arguments of a call; with `jsonMode`, any JSON object, which the parser then checks.
 *
 * @throws TypeError for another method
 */
export function structuredOutput<Output extends Record<string, unknown>>(
  model: SchemaWriter,
  schema: OutputSchema<Output>,
  options: StructuredOutputMethodOptions<boolean>,
): Structured<Output> {
  const { method = 'jsonSchema', includeRaw = false } = options
  if (!METHODS.includes(method))
    throw new TypeError(`Cannot write structured output as the method is not known: ${method}. Use ${METHODS.join(', ')}`)
  const json = plainSchema(schema)
  const name = options.name ?? textOf(json, 'name') ?? textOf(json, 'title') ?? 'extract'
  const description = textOf(json, 'description')
  const traced = { ls_structured_output_format: { kwargs: { method }, schema: json } }
  const runName = includeRaw ? 'StructuredOutputRunnable' : 'StructuredOutput'
  if (method === 'functionCalling') {
    const tool = { type: 'function', function: { name, ...(description !== undefined && { description }), parameters: json } }
    const llm = model.bindTools([tool], { tool_choice: name, ...traced })
    return assembleStructuredOutputPipeline(llm, createFunctionCallingParser<Output>(schema, name), includeRaw, runName)
  }
  const form: ResponseFormat =
    method === 'jsonMode' ? { type: 'json_object' } : { type: 'json_schema', json_schema: { name, description, schema: json } }
  const llm = model.withConfig({ response_format: form, ...traced })
  return assembleStructuredOutputPipeline(llm, createContentParser<Output>(schema), includeRaw, runName)
}

function textOf(schema: Record<string, unknown>, key: string): string | undefined {
  const text = schema[key]
  return typeof text === 'string' && text !== '' ? text : undefined
}
