import type { ChatModel } from './chat-model.ts'

/** What one call asks of a model besides its messages. */
export interface CallSettings {
  /** Most tokens of the reply. */
  readonly maxTokens?: number | undefined
  /** Sampling temperature. */
  readonly temperature?: number | undefined
}

/**
 * The same model with its reply limited. Our own models take the settings as call options; LangChain's models hold them as fields, so for those
 * the result is an object that inherits from the model with these fields set, in its inner models too. The model itself is not changed; one
 * without such fields is returned as it is. A limit that the user set lower stays.
 */
export function withSettings(model: ChatModel, settings: CallSettings): ChatModel {
  const { maxTokens, temperature } = settings
  if ((maxTokens === undefined && temperature === undefined) || !holdsSettings(model)) return model
  const views = viewsOf(model)
  const key = `${maxTokens} ${temperature}`
  const view = views.get(key) ?? inherit(model, settings, 2)
  views.set(key, view)
  return view
}

/** Kept, as an OpenAI model makes the client of its connections at the first call of each view. */
const known = new WeakMap<object, Map<string, ChatModel>>()

function viewsOf(model: object): Map<string, ChatModel> {
  const views = known.get(model) ?? new Map<string, ChatModel>()
  known.set(model, views)
  return views
}

function inherit<T extends object>(model: T, settings: CallSettings, depth: number): T {
  const view: T = Object.create(model)
  for (const [name, value] of Object.entries(model)) {
    if (depth > 0 && isObject(value) && holdsSettings(value)) define(view, name, inherit(value, settings, depth - 1))
  }
  const { maxTokens, temperature } = settings
  if (maxTokens !== undefined) define(view, 'maxTokens', lowest(maxTokens, Reflect.get(model, 'maxTokens')))
  if (temperature !== undefined && typeof Reflect.get(model, 'temperature') !== 'number') define(view, 'temperature', temperature)
  return view
}

function lowest(wanted: number, set: unknown): number {
  return typeof set === 'number' && set > 0 ? Math.min(wanted, set) : wanted
}

function holdsSettings(model: object): boolean {
  return 'lc_serializable' in model && 'maxTokens' in model
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
