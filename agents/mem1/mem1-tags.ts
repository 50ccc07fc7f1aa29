/** The tags by which a model of MEM1 (arXiv 2506.15841) parts a reply into its state and what it does next. */

/** Names of the tags, without their brackets. */
export interface Mem1Tags {
  /** The internal state: memory and reasoning. */
  readonly state: string
  /** What a tool is asked. */
  readonly query: string
  /** What came back. */
  readonly info: string
  readonly answer: string
}

/** As the paper writes them. */
export const paperTags: Mem1Tags = { state: 'IS', query: 'query', info: 'info', answer: 'answer' }

/** As the released code and its trained checkpoint write them. */
export const releasedTags: Mem1Tags = { state: 'think', query: 'search', info: 'information', answer: 'answer' }

/** What a model does at the end of a turn. */
export type Mem1Action =
  | { readonly kind: 'query'; readonly tool: string; readonly query: string }
  /** Answers, one for each objective, in their order. */
  | { readonly kind: 'answer'; readonly answers: readonly string[] }

/** A reply as it was read. Parts that it lacks are undefined. */
export interface ParsedTurn {
  readonly state: string | undefined
  readonly action: Mem1Action | undefined
}

export interface ParseTurnOptions {
  readonly tags: Mem1Tags
  /** Names of the tools; the first is meant where a query names none. */
  readonly tools: readonly string[]
}

/**
 * Reads a reply. The state ends at its first closing tag, and the first action behind it counts, so that tags which the state talks of do nothing. A closing
 * tag may be missing, as servers leave out what a reply was stopped at. Other reasoning, in `<think>`, is left out.
 */
export function parseTurn(reply: string, { tags, tools }: ParseTurnOptions): ParsedTurn {
  const text = tags.state === 'think' ? reply : reply.replace(/<think>[\s\S]*?(?:<\/think>|$)/gi, '')
  const { state, rest } = splitState(text, tags)
  return { state, action: findAction(rest, tags, tools) }
}

/** The state of a text, undefined where it has none, and what stands behind it. What stands before it is part of neither. */
export function splitState(text: string, tags: Mem1Tags): { state: string | undefined; rest: string } {
  const closed = new RegExp(`<${tags.state}>([\\s\\S]*?)</${tags.state}>`, 'i').exec(text)
  if (closed !== null) return { state: neutraliseTags(closed[1] ?? '', tags), rest: text.slice(closed.index + closed[0].length) }
  const open = new RegExp(`<${tags.state}>`, 'i').exec(text)
  if (open === null) return { state: undefined, rest: text }
  const behind = text.slice(open.index + open[0].length)
  const action = behind.search(actionPattern(tags))
  return action < 0
    ? { state: neutraliseTags(behind, tags), rest: '' }
    : { state: neutraliseTags(behind.slice(0, action), tags), rest: behind.slice(action) }
}

function findAction(text: string, tags: Mem1Tags, tools: readonly string[]): Mem1Action | undefined {
  const open = actionPattern(tags).exec(text)
  if (open === null) return undefined
  const behind = text.slice(open.index + open[0].length)
  const end = behind.search(anyTag(tags))
  const content = (end < 0 ? behind : behind.slice(0, end)).trim()
  if (open[1]?.toLowerCase() === tags.answer.toLowerCase()) return { kind: 'answer', answers: splitAnswers(content) }
  return { kind: 'query', ...splitQuery(content, open[2], tools) }
}

/** The opening tag of an action, with its name and the tool that it may name. */
function actionPattern({ query, answer }: Mem1Tags): RegExp {
  return new RegExp(`<(${query}|${answer})(?:\\s+tool\\s*=\\s*["']?([\\w.-]+)["']?)?\\s*/?>`, 'i')
}

function anyTag({ state, query, info, answer }: Mem1Tags): RegExp {
  return new RegExp(`</?(?:${state}|${query}|${info}|${answer})(?:\\s[^<>]*)?>`, 'i')
}

/** `tool: words` names its tool too, where there is one of that name. */
function splitQuery(content: string, named: string | undefined, tools: readonly string[]): { tool: string; query: string } {
  if (named !== undefined) return { tool: named, query: content }
  const [, first = '', words = ''] = /^([\w.-]+)\s*:\s*([\s\S]*)$/.exec(content) ?? []
  return tools.includes(first) ? { tool: first, query: words } : { tool: tools[0] ?? '', query: content }
}

/** Answers are parted by semicolons; one behind the last parts nothing. */
function splitAnswers(content: string): string[] {
  const answers = content.split(';').map((answer) => answer.trim())
  if (answers.length > 1 && answers.at(-1) === '') answers.pop()
  return answers
}

/** Text without our tags: what stands in a prompt may not open or close a part of it. */
export function neutraliseTags(text: string, tags: Mem1Tags): string {
  return text.replace(new RegExp(anyTag(tags), 'gi'), (tag) => `‹${tag.slice(1, -1)}›`).trim()
}

/** What a model said, as it sees it in the next turn. The tool is named where there is a choice. */
export function renderMem1Turn(state: string, query: string, tool: string | undefined, tags: Mem1Tags): string {
  const attribute = tool === undefined ? '' : ` tool="${tool}"`
  return `<${tags.state}>${state}</${tags.state}>\n<${tags.query}${attribute}>${query}</${tags.query}>`
}

/** What a tool said, as the model sees it. `text` holds none of our tags. */
export function renderMem1Info(text: string, tags: Mem1Tags): string {
  return `<${tags.info}>\n${text}\n</${tags.info}>`
}
