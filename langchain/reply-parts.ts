import type { ChatMessage, LocalCallOptions, LocalModel, LocalReply } from '../models/index.ts'
import { type CallReader, callReader, type ReadPart } from './call-reader.ts'
import { callConstraint, constraintOf, type ReplyForm } from './reply-form.ts'
import { stopText } from './stop-text.ts'
import { instruct, instructions } from './tool-text.ts'

/** Tokens of a reply: of all passes together, and of these the ones that a cache answered for. */
export interface ReplyUsage {
  readonly input: number
  readonly output: number
  readonly cached?: number
}

export type ReplyPart = ReadPart | { readonly usage: ReplyUsage; readonly finish: string }

export type Speaker = Pick<LocalModel, 'stream' | 'describe'>

/**
 * Lets a local model reply in a form, part by part; the last part says what was used and why it ended. A model that may answer in words or call a
 * tool chooses with its first token: where it begins a call, a second pass writes the whole call under the schema of the tool that it named.
 *
 * @param stop texts that end a reply in words; JSON ends where its schema says
 */
export async function* replyParts(
  model: Speaker,
  turns: readonly ChatMessage[],
  form: ReplyForm,
  options: LocalCallOptions,
  stop: readonly string[],
): AsyncGenerator<ReplyPart, undefined> {
  const told = instruct(turns, instructions(form.tools, form.mustCall, form.format))
  const constraint = constraintOf(form)
  const totals = new Totals()
  if (constraint === undefined) {
    yield* onePass(await model.stream(told, { ...options, ...(stop.length > 0 && { stop }) }), plainReader, totals)
  } else if ('json' in constraint) {
    const reader = form.tools.length === 0 ? plainReader : callReader(new Set(form.tools.map((tool) => tool.function.name)))
    yield* onePass(await model.stream(told, { ...options, constraint }), reader, totals)
  } else {
    const opening = new Opening()
    const parts = await model.stream(told, { ...options, constraint })
    yield* onePass(
      stopText(parts, stop, (text) => estimate(model, told, text)),
      opening,
      totals,
    )
    const tool = form.tools.find(({ function: { name } }) => name === opening.name)
    if (tool !== undefined) {
      const reader = callReader(new Set([tool.function.name]))
      yield* onePass(await model.stream(told, { ...options, constraint: callConstraint(tool) }), reader, totals)
    }
  }
  yield { usage: totals.usage, finish: totals.finish }
}

async function* onePass(replies: AsyncIterable<LocalReply>, reader: CallReader, totals: Totals): AsyncGenerator<ReadPart, undefined> {
  for await (const reply of replies) {
    totals.add(reply)
    for (const part of reader.push(reply.content)) yield totals.note(part)
  }
  for (const part of reader.end()) yield totals.note(part)
}

/** A stream that is left at a stop text does not tell what it used. The prompt is an upper bound: its template's tokens are counted for each turn. */
function estimate(model: Speaker, turns: readonly ChatMessage[], text: string): { input_tokens: number; output_tokens: number } {
  const { count, perMessage } = model.describe()
  return { input_tokens: turns.reduce((tokens, turn) => tokens + count(turn.content) + perMessage, 0), output_tokens: count(text) }
}

class Totals {
  usage: ReplyUsage = { input: 0, output: 0 }
  #finish = 'stop'
  #called = false

  get finish(): string {
    return this.#called ? 'tool_calls' : this.#finish
  }

  add({ usage_metadata: usage, response_metadata: metadata }: LocalReply): void {
    const reason = metadata?.['finish_reason']
    if (typeof reason === 'string') this.#finish = reason
    if (usage === undefined) return
    const { input, output, cached } = this.usage
    const read = cachedTokens(usage)
    this.usage = {
      input: input + usage.input_tokens,
      output: output + usage.output_tokens,
      ...(read === undefined && cached === undefined ? {} : { cached: (cached ?? 0) + (read ?? 0) }),
    }
  }

  note(part: ReadPart): ReadPart {
    if ('name' in part) this.#called = true
    return part
  }
}

function cachedTokens(usage: object): number | undefined {
  const details: unknown = Reflect.get(usage, 'input_token_details')
  const read: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, 'cache_read') : undefined
  return typeof read === 'number' ? read : undefined
}

const plainReader: CallReader = { push: (text) => (text === '' ? [] : [{ text }]), end: () => [] }

/** Hands on a text, and holds back the beginning of a call. */
class Opening implements CallReader {
  #text = ''

  /** The tool that the model began to call. */
  get name(): string | undefined {
    const name = /^\{"name": ?("(?:[^"\\]|\\.)*")/.exec(this.#text)?.[1]
    return name === undefined ? undefined : String(JSON.parse(name))
  }

  push(text: string): ReadPart[] {
    this.#text += text
    return text === '' || this.#text.startsWith('{') ? [] : [{ text }]
  }

  end(): ReadPart[] {
    return this.#text.startsWith('{') && this.name === undefined ? [{ text: this.#text }] : []
  }
}
