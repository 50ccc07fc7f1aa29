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
  const { addGenerationPrompt = true } = options
  const copies = messages.map(({ role, content }) => ({ role, content }))
  return parse(template).render({ messages: copies, add_generation_prompt: addGenerationPrompt, bos_token: '', eos_token: '' })
}

/**
 * Token ids of a conversation: those of the rendered text with its special tokens, except that special tokens which a *message* contains are
 * read as plain text, so that no document can end its turn and speak for another role.
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: string,
  messages: readonly TemplateMessage[],
  options: RenderChatOptions = {},
): number[] {
  const hidden = new Map<string, string>()
  const safe = messages.map(({ role, content }) => ({ role, content: hide(tokenizer, content, hidden, messages) }))
  const text = renderChat(template, safe, options)
  if (hidden.size === 0) return tokenizer.encode(text, { special: true })
  const pieces = text.split(new RegExp(`([${[...hidden.keys()].join('')}])`, 'u'))
  return pieces.flatMap((piece) => {
    const content = hidden.get(piece)
    return content === undefined ? tokenizer.encode(piece, { special: true }) : tokenizer.encode(content)
  })
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
