import type { ChatOpenAI, ChatOpenAIFields } from '@langchain/openai'
import { ModelError } from '../errors/index.ts'

export interface OpenAIOptions {
  /** Address of a server that speaks OpenAI's protocol, with its `/v1`; OpenAI's own by default. */
  readonly baseURL?: string
  /** `OPENAI_API_KEY` of the environment by default. A server under a `baseURL` may need none. */
  readonly apiKey?: string
  /** 0 by default: reading should not vary. A model that takes no temperature ignores it. */
  readonly temperature?: number
  /** Most tokens of one reply. */
  readonly maxTokens?: number
}

/**
 * A chat model of OpenAI, or of any server that speaks its protocol. The package is loaded when it is first needed.
 *
 * @throws ModelError `authentication` when there is no key, before any call
 * @throws TypeError when the name or the base URL is malformed
 */
export async function openAI(name: string, options: OpenAIOptions = {}): Promise<ChatOpenAI> {
  const { baseURL, apiKey = keyFor(name, baseURL), maxTokens } = options
  if (name.trim() === '') throw new TypeError(`Cannot open an OpenAI model as its name is empty: ${JSON.stringify(name)}`)
  if (baseURL !== undefined && !isHttp(baseURL))
    throw new TypeError(`Cannot open ${name} as its base URL is not an http address: ${baseURL}`)
  const { ChatOpenAI } = await import('@langchain/openai')
  const fields: ChatOpenAIFields = { model: name, apiKey, maxRetries: 0 }
  if (baseURL !== undefined) fields.configuration = { baseURL }
  if (maxTokens !== undefined) fields.maxTokens = maxTokens
  const temperature = options.temperature ?? (reasons(name) ? undefined : 0)
  if (temperature !== undefined) fields.temperature = temperature
  return new ChatOpenAI(fields)
}

/** A local server seldom asks for a key, but the client insists on one. */
function keyFor(name: string, baseURL: string | undefined): string {
  const key = process.env['OPENAI_API_KEY']
  if (key !== undefined && key !== '') return key
  if (baseURL !== undefined) return 'none'
  throw new ModelError(`Cannot use ${name} as there is no key. Set OPENAI_API_KEY, or name another server with a base URL`, {
    reason: 'authentication',
    model: name,
  })
}

/** OpenAI's reasoning models refuse a temperature. */
function reasons(name: string): boolean {
  return /^(o\d|gpt-5)/.test(name)
}

function isHttp(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)
}
