import type { ToolDefinition } from '@langchain/core/language_models/base'
import type { ToolChoice } from '@langchain/core/language_models/chat_models'
import type { JsonFormat, LocalChatCallOptions, ReplyConstraint, ResponseFormat } from './chat-options.ts'

/** What a reply may be: text, JSON of a schema, or a call of one of the tools. */
export interface ReplyForm {
  readonly tools: readonly ToolDefinition[]
  /** A call is all that the reply may be. */
  readonly mustCall: boolean
  readonly format: JsonFormat | undefined
}

/**
 * Reads the form of a reply from the options of a call.
 *
 * @throws TypeError for a tool choice that names no tool of the call, or that is not understood
 */
export function replyForm({ tools = [], tool_choice: choice, response_format: format }: LocalChatCallOptions): ReplyForm {
  return { ...chosenTools(tools, choice), format: formatOf(format) }
}

function chosenTools(tools: readonly ToolDefinition[], choice: ToolChoice | undefined): Pick<ReplyForm, 'tools' | 'mustCall'> {
  if (choice === 'none') return { tools: [], mustCall: false }
  if (choice === undefined || choice === 'auto') return { tools, mustCall: false }
  if (choice === 'any' || choice === 'required') {
    if (tools.length === 0) throw new TypeError(`Cannot call a tool as there is none: tool_choice is ${choice}. Bind at least one`)
    return { tools, mustCall: true }
  }
  const name = chosenName(choice)
  const chosen = tools.filter((tool) => tool.function.name === name)
  if (chosen.length > 0) return { tools: chosen, mustCall: true }
  const known = tools.map((tool) => tool.function.name).join(', ')
  throw new TypeError(
    `Cannot call the chosen tool as no tool of the call has its name: ${JSON.stringify(choice)}. There are: ${known || 'none'}`,
  )
}

/** LangChain passes a name; OpenAI's form is `{ type: 'function', function: { name } }`. */
function chosenName(choice: ToolChoice): unknown {
  if (typeof choice === 'string') return choice
  const inner: unknown = choice['function']
  return typeof inner === 'object' && inner !== null && 'name' in inner ? inner.name : choice['name']
}

function formatOf(format: ResponseFormat | undefined): JsonFormat | undefined {
  if (format === undefined || format.type === 'text') return undefined
  return format.type === 'json_object' ? { schema: { type: 'object' } } : format.json_schema
}

/** What the reply is held to; nothing where it is plain text. */
export function constraintOf({ tools, mustCall, format }: ReplyForm): ReplyConstraint | undefined {
  if (tools.length === 0) return format === undefined ? undefined : { json: format.schema }
  if (!mustCall && format === undefined) return { regex: callOrText(tools) }
  const forms = mustCall || format === undefined ? [] : [format.schema]
  const count = tools.length + forms.length
  if (count === 1 && tools[0] !== undefined) return { json: callSchema(tools[0], '#') }
  return {
    json: {
      anyOf: [...tools.map((tool, at) => callSchema(tool, `#/anyOf/${at}`)), ...forms.map((form) => rebase(form, `#/anyOf/${count - 1}`))],
    },
  }
}

/** What a call of one tool is held to. */
export function callConstraint(tool: ToolDefinition): ReplyConstraint {
  return { json: callSchema(tool, '#') }
}

/**
 * The beginning of a call up to the name of its tool, or a text that does not begin with a brace: with its first token the model chooses between the
 * two, and a text needs no second pass.
 */
function callOrText(tools: readonly ToolDefinition[]): string {
  const names = tools.map((tool) => escapeForRegex(JSON.stringify(tool.function.name)))
  return `\\{"name": ?(?:${names.join('|')})|[^{][\\s\\S]*`
}

function callSchema({ function: { name, parameters } }: ToolDefinition, place: string): Record<string, unknown> {
  return {
    type: 'object',
    properties: { name: { const: name }, arguments: rebase(parameters, `${place}/properties/arguments`) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  }
}

/** A schema's references into itself, for the place at which it stands in another. */
function rebase(schema: unknown, place: string): unknown {
  if (Array.isArray(schema)) return schema.map((item: unknown) => rebase(item, place))
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).filter(([key, value]) => key !== '$schema' || typeof value !== 'string')
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' && value.startsWith('#') ? place + value.slice(1) : rebase(value, place),
    ]),
  )
}

function escapeForRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
