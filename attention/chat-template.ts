import { Template } from '@huggingface/jinja'
import type { Tokenizer } from './tokenizer.ts'

/** One message as templates read it. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
}

export interface RenderChatOptions {
  /** Ends the prompt with the header of the assistant's turn; true by default. */
  readonly addGenerationPrompt?: boolean
  /** What the template writes where it asks for the start and the end token of a text; nothing by default. */
  readonly startToken?: string
  readonly endToken?: string
}

/** Parsed templates by their source: a model has one, and parsing takes longer than rendering. */
const parsed = new Map<string, Template>()
const mostParsed = 16

/**
 * Renders messages by the chat template (Jinja) of a model file. The template is taken as it is: where it adds a system message of its own
 * to a conversation without one, so does this.
 *
 * @throws Error when the template refuses the messages, for instance for the order of their roles
 */
export function renderChat(template: string, messages: readonly TemplateMessage[], options: RenderChatOptions = {}): string {
  const { addGenerationPrompt = true, startToken = '', endToken = '' } = options
  const copies = messages.map(({ role, content }) => ({ role, content }))
  return parse(template).render({
    messages: copies,
    add_generation_prompt: addGenerationPrompt,
    bos_token: startToken,
    eos_token: endToken,
  })
}

/**
 * Token ids of a conversation: those of the rendered text with its special tokens, except that special tokens which a *message* contains are
 * read as plain text, so that no document can end its turn and speak for another role. The start token stands before them once where the
 * model's rule has one, whether or not the template writes it.
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: string,
  messages: readonly TemplateMessage[],
  options: RenderChatOptions = {},
): number[] {
  const hidden = new Map<string, string>()
  const safe = messages.map(({ role, content }) => ({ role, content: hide(tokenizer, content, hidden, messages) }))
  const text = renderChat(template, safe, { ...boundaries(tokenizer), ...options })
  if (hidden.size === 0) return withStart(tokenizer, tokenizer.encode(text, { special: true }))
  const pieces = text.split(new RegExp(`([${[...hidden.keys()].join('')}])`, 'u'))
  const ids = pieces.flatMap((piece) => {
    const content = hidden.get(piece)
    return content === undefined ? tokenizer.encode(piece, { special: true }) : tokenizer.encode(content)
  })
  return withStart(tokenizer, ids)
}

/** `ids` after the start token where the model's rule has one and they do not begin with it. */
export function withStart({ special, adds }: Tokenizer, ids: readonly number[]): number[] {
  const isMissing = adds?.bos === true && special.bos !== undefined && ids[0] !== special.bos
  return isMissing && special.bos !== undefined ? [special.bos, ...ids] : [...ids]
}

function boundaries(tokenizer: Tokenizer): Pick<RenderChatOptions, 'startToken' | 'endToken'> {
  const { bos, eos } = tokenizer.special
  return { ...(bos !== undefined && { startToken: tokenizer.token(bos) }), ...(eos !== undefined && { endToken: tokenizer.token(eos) }) }
}

/** Puts one character of the private use area, which no message contains, in the place of a content with special tokens. */
function hide(tokenizer: Tokenizer, content: string, hidden: Map<string, string>, messages: readonly TemplateMessage[]): string {
  const plain = tokenizer.encode(content)
  const special = tokenizer.encode(content, { special: true })
  if (plain.length === special.length && plain.every((id, at) => id === special[at])) return content
  const mark = freeMark(hidden, messages)
  hidden.set(mark, content)
  return mark
}

function freeMark(hidden: ReadonlyMap<string, string>, messages: readonly TemplateMessage[]): string {
  for (let code = 0xf0000; code < 0xffffe; code++) {
    const mark = String.fromCodePoint(code)
    if (!hidden.has(mark) && messages.every(({ content }) => !content.includes(mark))) return mark
  }
  throw new RangeError('Cannot encode a conversation as its messages use every character of the private use area')
}

function parse(source: string): Template {
  const known = parsed.get(source)
  if (known !== undefined) return known
  const template = new Template(source)
  if (parsed.size >= mostParsed) parsed.clear()
  parsed.set(source, template)
  return template
}
