import { type Chunk, withContext } from '../chunkers/index.ts'
import { type ChatModel, describe } from '../models/index.ts'
import type { Agent, AgentContext, Usage } from './agent.ts'
import { answerStream, answerText, saysNotFound } from './answer-stream.ts'
import { type BudgetParts, solveBudget } from './budget.ts'
import { readKey } from './chunk-reading.ts'
import type { Quote } from './communication-unit.ts'
import { isEmpty } from './guards.ts'
import { recordedQuote } from './hand-on.ts'
import { parseReply } from './parse-reply.ts'
import { placeQuotes } from './place-reading.ts'
import { labelled, questionLine } from './prompt.ts'
import { callRole, type Role, roleOf, roleParts, roleUsage } from './role.ts'
import { verifyQuotes } from './verify-quotes.ts'
import type { RecordedQuote } from './worker.ts'
import { defaultAnswer, NOT_FOUND_TEXT, type WritingManagerOptions } from './writing-manager.ts'

export type DirectReaderOptions = WritingManagerOptions

export interface DirectReaderInput {
  /** What the model reads: the chunk's text, or a start of it. */
  readonly text: string
  /** Absent: the task is to summarise. */
  readonly question?: string
  /** Where the text stands. */
  readonly chunk: Chunk
}

export interface DirectReaderOutput {
  readonly status: 'answered' | 'not-found'
  readonly text: string
  /** Quotations that are in the text, in the order of the reply. */
  readonly quotes: readonly Quote[]
  readonly flags: readonly string[]
}

export interface RecordedAnswer extends Omit<DirectReaderOutput, 'quotes'> {
  readonly quotes: readonly RecordedQuote[]
}

/** Reads a text and answers, in one call. */
export type DirectReader = Agent<DirectReaderInput, DirectReaderOutput, RecordedAnswer> & {
  /** Most tokens that the text may have. Throws ContextOverflowError naming each part when there is no room. */
  fits(question: string | undefined): number
  count(text: string): number
}

const SYSTEM = 'You read a text with care and answer from it alone.'
const REPAIR = 'Your last reply held no answer. Write the ANSWER line.'
const LABEL = 'Text:'

export function directInstruction(question: string | undefined): string {
  const answer =
    question === undefined ? 'ANSWER: a summary of the whole text' : 'ANSWER: the answer to the question, as brief as it allows'
  const quote = 'QUOTE: "words of the text that show it, copied without any change" (one such line for each quotation)'
  const none = question === undefined ? [] : ['If the text holds no answer, reply only: NOT FOUND']
  return ['Reply with these lines:', answer, quote, ...none].join('\n')
}

/**
 * The plain reader behind `stuff` and `truncate`: one call with the whole text. Its quotations are verified literally; those that are not in the text
 * are left out and flagged. The answer streams through the context.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function directReader(model: ChatModel, options: DirectReaderOptions = {}): DirectReader {
  const { description = describe(model) } = options
  const { maxOutput = defaultAnswer(description) } = options
  const self = roleOf(model, { ...options, description }, { system: SYSTEM, instruction: directInstruction }, { maxOutput })
  return {
    name: 'direct-reader',
    version: 1,
    identity: self.identity,
    key: (input) => ({ ...readKey(readOf(input)), question: input.question ?? null }),
    run: (input, context) => read(self, input, context),
    place: (recorded, { chunk }) => ({ ...recorded, quotes: placeQuotes(recorded.quotes, chunk, 1) }),
    estimate: (input) => estimate(self, input),
    fits: (question) => solveBudget({ description, parts: budgetParts(self, question) }).chunk,
    count: description.count,
  }
}

async function read(self: Role, input: DirectReaderInput, context: AgentContext): Promise<RecordedAnswer> {
  let reply = await ask(self, input, context)
  if (isEmpty(answerText(reply)) || (input.question === undefined && saysNotFound(answerText(reply)))) {
    context.notice('asked-again', 'The reply held no answer; asking once more')
    reply = await ask(self, input, context, REPAIR)
  }
  const text = answerText(reply)
  if (isEmpty(text)) return { status: 'not-found', text: NOT_FOUND_TEXT, quotes: [], flags: ['empty'] }
  if (saysNotFound(text)) return { status: 'not-found', text: NOT_FOUND_TEXT, quotes: [], flags: [] }
  const { count } = self.description
  const { quotes, unverified } = verifyQuotes(input.text, parseReply(reply).quotes, {
    question: input.question,
    maxTokens: LONGEST_QUOTE,
    count,
  })
  if (unverified.length > 0) context.notice('unverified-quote', `${unverified.length} quotations are not in the text and were left out`)
  return { status: 'answered', text, quotes: quotes.map(recordedQuote), flags: unverified.length > 0 ? ['unverified-quote'] : [] }
}

/** In tokens; a longer quotation is cut between words. */
const LONGEST_QUOTE = 256

async function ask(self: Role, input: DirectReaderInput, context: AgentContext, repair?: string): Promise<string> {
  const { question } = input
  const whole = withContext(readOf(input))
  const sections = [labelled(LABEL, whole), questionLine(question), self.orders(question), repair]
  const parts = { ...budgetParts(self, question), chunk: self.description.count(whole) }
  const stream = answerStream((words) => context.delta(words))
  const reply = await callRole(self, context, { sections, parts, onDelta: (words) => stream.push(words) })
  stream.end(reply)
  return reply
}

/** The text with the context of its chunk. */
function readOf({ text, chunk }: DirectReaderInput): Pick<Chunk, 'text' | 'context'> {
  return { ...chunk, text }
}

function budgetParts(self: Role, question: string | undefined): BudgetParts {
  return roleParts(self, question, { labels: [LABEL], repairs: [REPAIR] })
}

function estimate(self: Role, input: DirectReaderInput): Usage {
  return roleUsage(self, budgetParts(self, input.question), self.description.count(withContext(readOf(input))), 2)
}
