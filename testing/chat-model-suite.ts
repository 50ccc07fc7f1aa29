import { ContextOverflowError } from '../errors/index.ts'
import {
  callModel,
  type ChatMessage,
  type ChatModel,
  describe as describeModel,
  type ModelDescription,
  replyText,
} from '../models/index.ts'
import { rejectionOf, type TestRunner } from './test-runner.ts'

/** A model under test and what the suite must know of it. */
export interface ChatModelFixture {
  readonly model: ChatModel
  /** Messages that the model answers; a short question by default. */
  readonly messages?: readonly ChatMessage[]
  /** Messages that do not fit the model's window; made from its description by default. */
  readonly tooLong?: readonly ChatMessage[]
  /** What `describe` needs beside the model. */
  readonly overrides?: Partial<ModelDescription>
  /** Whether the same messages give the same answer; true by default. */
  readonly deterministic?: boolean
}

export interface ChatModelSuiteOptions {
  /** Makes a model that does not answer until it is aborted. Without it the abort of a silent call is skipped. */
  readonly makeSilent?: () => ChatModelFixture | Promise<ChatModelFixture>
}

const QUESTION: readonly ChatMessage[] = [
  { role: 'system', content: 'Answer in one sentence.' },
  { role: 'user', content: 'Who is the captain of the Pequod?' },
]

/**
 * The conformance suite of `ChatModel`: an answer has text; a stream's parts join to it; an abort rejects with the signal's own reason, before the
 * call and during it; a prompt that does not fit is an error of its own; the caller's messages stay as they are. The model is called through
 * `callModel`, which supplies what LangChain's classes lack of this.
 *
 * @param make makes the model under test, for each test anew
 */
export function chatModelSuite(
  name: string,
  make: () => ChatModelFixture | Promise<ChatModelFixture>,
  runner: TestRunner,
  options: ChatModelSuiteOptions = {},
): void {
  const { describe, it, expect } = runner
  const { makeSilent } = options

  describe(`${name} is a chat model`, () => {
    it('answers with text', async () => {
      const { model, messages = QUESTION } = await make()
      const reply = await model.invoke(copyOf(messages))
      expect(replyText(reply.content).length > 0).toBe(true)
    })
    it('streams parts that join to the answer', async () => {
      const { model, messages = QUESTION, deterministic = true } = await make()
      const parts: string[] = []
      const streamed = await callModel(model, messages, { onDelta: (part) => parts.push(part) })
      expect(parts.join('')).toBe(streamed.text)
      if (deterministic) expect((await callModel(model, messages)).text).toBe(streamed.text)
    })
    it('says what it used, or lets it be counted', async () => {
      const { model, messages = QUESTION } = await make()
      for (const stream of [{}, { onDelta: () => undefined }]) {
        const { usage, attempts } = await callModel(model, messages, stream)
        expect([usage.inputTokens > 0, usage.outputTokens > 0, attempts]).toEqual([true, true, 1])
      }
    })
    it("rejects with the signal's own reason when it is aborted before the call", async () => {
      const { model, messages = QUESTION } = await make()
      const reason = { stopped: 'before' }
      for (const stream of [{}, { onDelta: () => undefined }]) {
        expect(await rejectionOf(callModel(model, messages, { signal: AbortSignal.abort(reason), ...stream }))).toBe(reason)
      }
    })
    it("rejects with the signal's own reason when it is aborted between two parts, and gives no more", async () => {
      const { model, messages = QUESTION } = await make()
      const controller = new AbortController()
      const reason = new Error('enough')
      let parts = 0
      const onDelta = (): void => {
        parts++
        controller.abort(reason)
      }
      expect(await rejectionOf(callModel(model, messages, { signal: controller.signal, onDelta }))).toBe(reason)
      expect(parts).toBe(1)
    })
    const silence = "rejects with the signal's own reason when it is aborted in silence"
    if (makeSilent === undefined) it.skip(silence, () => undefined)
    else {
      it(silence, async () => {
        for (const stream of [{}, { onDelta: () => undefined }]) {
          const { model, messages = QUESTION } = await makeSilent()
          const controller = new AbortController()
          const reason = { stopped: 'in silence' }
          const rejection = rejectionOf(callModel(model, messages, { signal: controller.signal, ...stream }))
          await macrotask()
          controller.abort(reason)
          expect(await rejection).toBe(reason)
        }
      })
    }
    it('refuses a prompt that does not fit with an error of its own', async () => {
      const fixture = await make()
      const error = await rejectionOf(callModel(fixture.model, fixture.tooLong ?? longMessages(fixture), { retries: 0 }))
      expect(error instanceof ContextOverflowError).toBe(true)
    })
    it('leaves the messages of its caller as they are', async () => {
      const { model, messages = QUESTION } = await make()
      const given = copyOf(messages)
      given.forEach((message) => Object.freeze(message))
      Object.freeze(given)
      await model.invoke(given)
      for await (const part of await model.stream(given)) replyText(part.content)
      expect(given).toEqual(copyOf(messages))
    })
    it('can be described', async () => {
      const { model, overrides } = await make()
      const { id, window, maxOutput, count, margin } = describeModel(model, overrides)
      expect([id.length > 0, window > 0, maxOutput > 0, maxOutput <= window, margin >= 0, margin < 1]).toEqual([
        true,
        true,
        true,
        true,
        true,
        true,
      ])
      expect([count(''), count('Call me Ishmael.') > 0]).toEqual([0, true])
    })
  })
}

function copyOf(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map((message) => ({ ...message }))
}

function longMessages({ model, overrides }: ChatModelFixture): ChatMessage[] {
  const { window, count } = describeModel(model, overrides)
  const sentence = 'The white whale swam before him as the monomaniac incarnation of all those malicious agencies. '
  return [{ role: 'user', content: sentence.repeat(Math.ceil((2 * window) / Math.max(1, count(sentence))) + 1) }]
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
