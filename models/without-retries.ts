import type { ChatModel } from './chat-model.ts'

const views = new WeakMap<object, ChatModel>()

/**
 * The same model with LangChain's own retries (six by default) switched off, so that a call has one owner of retries. The model itself is not
 * changed: the result is an object that inherits from it, with callers that inherit from its callers and so share their queues. A model that has
 * nothing to switch off is returned as it is; that is also the way for a class whose private fields do not bear inheritance: `maxRetries: 0`.
 */
export function withoutRetries(model: ChatModel): ChatModel {
  const known = views.get(model)
  if (known) return known
  const view = retries(model, 2) ? inherit(model, 2) : model
  views.set(model, view)
  return view
}

/** ChatOpenAI hands its work to inner models with callers of their own, and a bound model holds its model: two levels are enough for both. */
function inherit<T extends object>(model: T, depth: number): T {
  const view: T = Object.create(model)
  for (const [name, value] of Object.entries(model)) {
    if (isRetryingCaller(name, value)) define(view, name, define(Object.create(value), 'maxRetries', 0))
    else if (depth > 0 && isObject(value) && retries(value, depth - 1)) define(view, name, inherit(value, depth - 1))
  }
  return view
}

function retries(model: object, depth: number): boolean {
  return Object.entries(model).some(
    ([name, value]) => isRetryingCaller(name, value) || (depth > 0 && isObject(value) && retries(value, depth - 1)),
  )
}

function isRetryingCaller(name: string, value: unknown): value is object {
  return name === 'caller' && isObject(value) && 'maxRetries' in value && value.maxRetries !== 0
}

function define<T extends object>(target: T, name: string, value: unknown): T {
  return Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
