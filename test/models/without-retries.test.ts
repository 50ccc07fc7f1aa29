import { FakeListChatModel } from '@langchain/core/utils/testing'
import { describe, expect, it } from 'vitest'
import type { ChatMessage, ChatModel, ChatReply } from '../../models/index.ts'
import { withoutRetries } from '../../models/without-retries.ts'
import { withSettings } from '../../models/with-settings.ts'
import { scriptedModel } from '../../testing/index.ts'

/** The retries that a call under this model would see. */
class Model implements ChatModel {
  caller = { maxRetries: 6, queue: {} }
  inner?: { caller: { maxRetries: number } }

  async invoke(_messages: ChatMessage[]): Promise<ChatReply> {
    return { content: `${this.caller.maxRetries} ${this.inner?.caller.maxRetries}` }
  }

  async stream(messages: ChatMessage[]): Promise<AsyncIterable<ChatReply>> {
    const reply = await this.invoke(messages)
    return (async function* () {
      yield reply
    })()
  }
}

describe('withoutRetries', () => {
  it('switches off the retries of a model and of the models inside it, and changes neither', async () => {
    const model = new Model()
    model.inner = new Model()
    const view = withoutRetries(model)
    expect((await view.invoke([])).content).toBe('0 0')
    expect((await model.invoke([])).content).toBe('6 6')
    expect(view).toBeInstanceOf(Model)
  })

  it('reaches a model that is bound inside another object', async () => {
    const inner = new Model()
    inner.inner = new Model()
    const bound = {
      bound: inner,
      invoke: async function (this: { bound: Model }) {
        return this.bound.invoke([])
      },
      stream: async () => inner.stream([]),
    }
    expect((await withoutRetries(bound).invoke([])).content).toBe('0 0')
  })

  it('shares the queue of the model, so that its limit of concurrency holds', () => {
    const model = new Model()
    const view: object = withoutRetries(model)
    expect(Reflect.get(Reflect.get(view, 'caller'), 'queue')).toBe(model.caller.queue)
  })

  it('sees later changes of the model', () => {
    const model = new FakeListChatModel({ responses: ['one'] })
    const view = withoutRetries(model)
    model.responses = ['two']
    expect(Reflect.get(view, 'responses')).toEqual(['two'])
  })

  it.each([
    ['a model without retries', scriptedModel()],
    ['a model whose retries are off', new FakeListChatModel({ responses: ['one'], maxRetries: 0 })],
  ])('returns %s as it is', (_name, model) => {
    expect(withoutRetries(model)).toBe(model)
  })

  it('makes one view of a model, which keeps its connections', () => {
    const model = new Model()
    expect(withoutRetries(model)).toBe(withoutRetries(model))
  })
})

describe('withSettings', () => {
  it('returns a model as it is when nothing is set or the model takes settings by call', () => {
    const scripted = scriptedModel()
    const fake = new FakeListChatModel({ responses: ['one'] })
    expect(withSettings(scripted, { maxTokens: 5 })).toBe(scripted)
    expect(withSettings(fake, {})).toBe(fake)
  })
})
