import type { ChatModel } from './chat-model.ts'

/** Properties of LangChain's chat models that change what a model says. Keys, clients and callbacks are not among them. */
const SETTINGS = [
  'temperature',
  'topP',
  'topK',
  'n',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'logitBias',
  'stop',
  'maxTokens',
  'reasoning',
  'verbosity',
  'modelKwargs',
  'defaultOptions',
] as const

/** The name of a model for people and errors: what it calls itself, or its class. */
export function modelName(model: ChatModel): string {
  const named = ownId(model) ?? firstString(model, ['id', 'model', 'modelName', 'name'])
  return named ?? llmType(model) ?? model.constructor.name
}

/** The settings of a model that determine its output, without those that are not set. The server counts as one. */
export function modelSettings(model: object): Record<string, unknown> {
  const settings: Record<string, unknown> = {}
  for (const name of SETTINGS) {
    const value = Reflect.get(model, name)
    if (value !== undefined && value !== null && !isEmptyObject(value)) settings[name] = value
  }
  const server = endpointOf(model)
  if (server !== undefined) settings['server'] = server
  return settings
}

/** The base URL a remote model was given, if it was; without user name and password. */
export function endpointOf(model: object): string | undefined {
  const config: unknown = Reflect.get(model, 'clientConfig')
  const baseURL: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'baseURL') : undefined
  if (typeof baseURL !== 'string' || !URL.canParse(baseURL)) return undefined
  const url = new URL(baseURL)
  url.username = ''
  url.password = ''
  return url.href.replace(/\/$/, '')
}

function ownId(model: object): string | undefined {
  const describe: unknown = Reflect.get(model, 'describe')
  const description: unknown = typeof describe === 'function' ? describe.call(model) : undefined
  return typeof description === 'object' && description !== null ? firstString(description, ['id']) : undefined
}

function firstString(model: object, names: readonly string[]): string | undefined {
  return names.map((name): unknown => Reflect.get(model, name)).find((value): value is string => typeof value === 'string' && value !== '')
}

function llmType(model: object): string | undefined {
  const type: unknown = Reflect.get(model, '_llmType')
  const name: unknown = typeof type === 'function' ? type.call(model) : undefined
  return typeof name === 'string' ? name : undefined
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}
