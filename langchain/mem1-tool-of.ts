import type { StructuredToolInterface } from '@langchain/core/tools'
import type { Mem1Tool } from '../agents/index.ts'
import { toolDefinition } from './tool-definition.ts'

/**
 * A tool of LangChain for the loop of MEM1. The query becomes the tool's one text argument; where it has several, or others, the query must be the JSON object of
 * its arguments, and the model is told its schema.
 */
export function mem1ToolOf(tool: StructuredToolInterface): Mem1Tool {
  const { name, description = '', parameters } = toolDefinition(tool).function
  const argument = soleText(parameters)
  return {
    name,
    description:
      argument === undefined ? `${description} (a query is a JSON object of the schema ${JSON.stringify(parameters)})` : description,
    async run(query, signal) {
      const input: unknown = argument === undefined ? JSON.parse(query) : { [argument]: query }
      const output: unknown = await tool.invoke(input as Parameters<typeof tool.invoke>[0], { signal })
      return typeof output === 'string' ? output : JSON.stringify(output)
    },
  }
}

/** The name of a schema's only property, where it is a text. */
function soleText(parameters: unknown): string | undefined {
  const { properties = {} } = parameters as { properties?: Readonly<Record<string, { readonly type?: unknown; readonly enum?: unknown }>> }
  const [first, second] = Object.entries(properties)
  return first?.[1].type === 'string' && second === undefined ? first[0] : undefined
}
