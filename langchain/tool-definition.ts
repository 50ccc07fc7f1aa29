import type { ToolDefinition } from '@langchain/core/language_models/base'
import type { BindToolsInput } from '@langchain/core/language_models/chat_models'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import { type JSONSchema, toJsonSchema } from '@langchain/core/utils/json_schema'
import { isSerializableSchema } from '@langchain/core/utils/standard_schema'
import { isInteropZodSchema } from '@langchain/core/utils/types'

/** A schema as plain data: of zod, of any library with standard JSON Schema, or JSON Schema already. */
export function plainSchema(schema: unknown): Record<string, unknown> {
  const json: unknown = isInteropZodSchema(schema) || isSerializableSchema(schema) ? toJsonSchema(schema) : schema
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError(
      `Cannot constrain a reply as the schema is none: ${JSON.stringify(schema)}. Use zod, a standard schema or JSON Schema`,
    )
  return JSON.parse(JSON.stringify(json))
}

/**
 * A tool as a function definition of plain data, which can be compared, stored and sent to the model's thread.
 *
 * @throws TypeError when it has no name and no schema
 */
export function toolDefinition(tool: BindToolsInput): ToolDefinition {
  const known: unknown = isSerializableSchema(Reflect.get(tool, 'schema'))
    ? ofStandardSchema(tool)
    : convertToOpenAITool(tool as Convertible)
  if (!isFunctionTool(known))
    throw new TypeError(`Cannot bind a tool as it has no name and schema: ${Object.keys(tool).join(', ')}. Use tool() of LangChain`)
  const { name, description, parameters } = known.function
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      parameters: plainSchema(parameters ?? { type: 'object', properties: {} }),
    },
  }
}

type Convertible = Parameters<typeof convertToOpenAITool>[0]

interface FunctionTool {
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: JSONSchema | Record<string, unknown> }
}

function ofStandardSchema(tool: object): unknown {
  const { name, description, schema }: { name?: unknown; description?: unknown; schema?: unknown } = tool
  return { function: { name, description, parameters: plainSchema(schema) } }
}

/** A function definition, with or without the object around it. */
function isFunctionTool(tool: unknown): tool is FunctionTool {
  if (typeof tool !== 'object' || tool === null || !('function' in tool)) return false
  const { function: definition } = tool
  return (
    typeof definition === 'object' &&
    definition !== null &&
    'name' in definition &&
    typeof definition.name === 'string' &&
    definition.name !== ''
  )
}
