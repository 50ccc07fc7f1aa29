import type { ToolDefinition } from '@langchain/core/language_models/base'
import type { ChatMessage } from '../models/index.ts'
import type { JsonFormat } from './chat-options.ts'

/** A call as it stands in the assistant's turn: the form that the model is held to when it makes one. */
export function renderCall({ name, args }: { readonly name: string; readonly args: unknown }): string {
  return JSON.stringify({ name, arguments: args })
}

/** A tool's result as it stands in a turn of the user: a line that names the tool, then what the tool said. */
export function renderResult(
  message: { readonly name?: string | undefined; readonly tool_call_id?: string | undefined; readonly status?: string | undefined },
  text: string,
): string {
  const { name = message.tool_call_id ?? 'unnamed', status } = message
  return `${status === 'error' ? 'Error' : 'Result'} of the tool ${name}:\n${text}`
}

/** What the model is told of its tools, and of the form of its reply. */
export function instructions(tools: readonly ToolDefinition[], mustCall: boolean, format: JsonFormat | undefined): string {
  return [...toolLines(tools, mustCall, format !== undefined), ...formatLines(format, tools.length > 0)].join('\n')
}

function toolLines(tools: readonly ToolDefinition[], mustCall: boolean, formed: boolean): string[] {
  if (tools.length === 0) return []
  const otherwise = formed ? [] : ['If the answer needs no tool, or the results of the tools hold it, answer in plain words.']
  return [
    mustCall ? 'Call one of these tools:' : 'You can call these tools:',
    ...tools.map(describeTool),
    'To call a tool, reply with one JSON object and nothing else: {"name": name of the tool, "arguments": object by its JSON Schema}',
    ...(mustCall ? [] : otherwise),
  ]
}

function describeTool({ function: { name, description, parameters } }: ToolDefinition): string {
  const purpose = description === undefined || description === '' ? '' : `: ${description}`
  return `- ${name}${purpose}\n  JSON Schema of its arguments: ${JSON.stringify(withoutDialect(parameters))}`
}

function formatLines(format: JsonFormat | undefined, afterTools: boolean): string[] {
  if (format === undefined) return []
  const { name, description, schema } = format
  const what = [name, description].filter((word) => word !== undefined && word !== '').join(': ')
  const start = afterTools ? 'If no tool is needed any more, answer' : 'Answer'
  return [`${start} with one JSON value${what === '' ? '' : ` (${what})`} of this JSON Schema: ${JSON.stringify(withoutDialect(schema))}`]
}

function withoutDialect(schema: object): object {
  const { $schema: _, ...rest }: { $schema?: unknown } = { ...schema }
  return rest
}

/** Adds instructions to the system's first turn; makes one where the conversation begins without. */
export function instruct(turns: readonly ChatMessage[], text: string): ChatMessage[] {
  if (text === '') return [...turns]
  const [first, ...rest] = turns
  if (first?.role !== 'system') return [{ role: 'system', content: text }, ...turns]
  return [{ role: 'system', content: `${first.content}\n\n${text}` }, ...rest]
}
