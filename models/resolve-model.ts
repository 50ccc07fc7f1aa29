import type { ChatModel } from './chat-model.ts'
import type { ModelDescription } from './describe.ts'
import { openAI, type OpenAIOptions } from './openai.ts'
import { openAICounter } from './openai-counter.ts'

/** A model, and what to pass to `describe` with it. */
export interface ResolvedModel {
  readonly model: ChatModel
  readonly overrides: Partial<ModelDescription>
}

/**
 * Opens the remote model that a short text names: `openai:NAME`, or `openai:NAME@BASE_URL` for another server that speaks the protocol. OpenAI's own
 * models come with their exact counter.
 *
 * @throws TypeError when the text is of neither form
 * @throws ModelError `authentication` when there is no key
 */
export async function resolveModel(spec: string, options: OpenAIOptions = {}): Promise<ResolvedModel> {
  const { name, baseURL } = parseSpec(spec)
  const model = await openAI(name, baseURL === undefined ? options : { ...options, baseURL })
  if (baseURL !== undefined || options.baseURL !== undefined) return { model, overrides: {} }
  const count = await openAICounter(/^(gpt-3\.5|gpt-4(-|$))/.test(name) ? 'cl100k_base' : 'o200k_base')
  return { model, overrides: { count, exact: true, margin: 0 } }
}

function parseSpec(spec: string): { name: string; baseURL?: string } {
  const match = /^openai:(?<name>[^@]+)(?:@(?<baseURL>https?:\/\/.+))?$/.exec(spec)
  const { name, baseURL } = match?.groups ?? {}
  if (name === undefined)
    throw new TypeError(`Cannot open a model as its name is not understood: ${spec}. Use openai:NAME or openai:NAME@BASE_URL`)
  return baseURL === undefined ? { name } : { name, baseURL }
}
