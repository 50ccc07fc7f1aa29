import { ContextOverflowError } from '../errors/index.ts'
import { type ChatModel, describe } from '../models/index.ts'
import type { AgentContext, Usage } from './agent.ts'
import { answerText, saysNotFound } from './answer-stream.ts'
import { solveBudget } from './budget.ts'
import { fitUnit, renderUnit } from './fit-unit.ts'
import { isEmpty } from './guards.ts'
import type { Judge, JudgeInput, JudgeOutput, PathResult } from './manager.ts'
import { labelled, questionLine, SEAMS } from './prompt.ts'
import { callRole, type Role, roleOf, roleParts, roleUsage } from './role.ts'
import { vote } from './vote.ts'
import { defaultAnswer, NOT_FOUND_TEXT, restsOn, type WritingManagerOptions } from './writing-manager.ts'
import { unitKey } from './writing-worker.ts'

export type JudgeOptions = WritingManagerOptions

const SYSTEM =
  'Several readers went through the same long text in different orders. You pick the most reliable of them and answer from that one.'

export function judgeInstruction(question: string | undefined): string {
  const task =
    question === undefined ? 'summarise the whole text from its notes alone' : 'answer the question from its notes and quotations alone'
  return [
    `Pick the reader whose notes are the most reliable and best supported by quotations, and ${task}.`,
    'Reply with these lines:',
    'READER: the number of the reader',
    'ANSWER: your answer, with the number of the quotation that it rests on, such as [q1]',
    ...(question === undefined ? [] : ['If no reader has an answer, reply only: NOT FOUND']),
  ].join('\n')
}

/**
 * The judge of multi-path Chain of Agents (arXiv 2406.02818, section 5.6). Each of p paths gets a p-th of the room that the window leaves; a unit
 * above it is brought down to it. A reply that names no reader, or says nothing, is replaced by the vote.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function judge(model: ChatModel, options: JudgeOptions = {}): Judge {
  const { description = describe(model) } = options
  const { maxOutput = defaultAnswer(description) } = options
  const self = roleOf(model, { ...options, description }, { system: SYSTEM, instruction: judgeInstruction }, { maxOutput })
  return {
    name: 'judge',
    version: 1,
    identity: self.identity,
    key: ({ question, paths }) => ({ question: question ?? null, paths: paths.map(({ unit, output }) => [unitKey(unit), output]) }),
    run: (input, context) => decide(self, input, context),
    place: (recorded) => recorded,
    estimate: (input) => estimate(self, input),
  }
}

async function decide(self: Role, { question, paths }: JudgeInput, context: AgentContext): Promise<JudgeOutput> {
  const { chosen: voted } = vote(paths)
  if (paths.every(({ output }) => output.status === 'not-found')) return fromPath(paths, voted)
  const { count } = self.description
  const room = roomFor(self, question, paths.length)
  const rendered = paths.map((path, at) => renderPath(path, at, room, count))
  const sections = [...rendered, questionLine(question), self.orders(question)]
  const reply = await callRole(self, context, { sections, parts: { ...roleParts(self, question), state: count(rendered.join('\n\n')) } })
  return readVerdict(reply, { question, paths, voted }, context)
}

interface Case extends JudgeInput {
  readonly voted: number
}

function readVerdict(
  reply: string,
  { question, paths, voted }: Omit<Case, 'question'> & { question: string | undefined },
  context: AgentContext,
): JudgeOutput {
  const number = /\b(?:reader|path)\b\W{0,12}(\d+)/i.exec(reply)?.[1]
  const named = number === undefined ? undefined : Number(number) - 1
  const text = answerText(reply.replace(/^.*\b(?:reader|path)\b\W{0,12}\d+\W*$/im, '').replace(/^[\s\S]*?(?=^\W*answer\W*:)/im, ''))
  if (question !== undefined && !isEmpty(reply) && /^\W*not[\s_-]?found\b/i.test(text))
    return { status: 'not-found', text: NOT_FOUND_TEXT, quoteIds: [], chosen: named ?? voted }
  const path = named === undefined ? undefined : paths[named]
  if (path === undefined || named === undefined || isEmpty(text) || saysNotFound(text)) {
    context.notice('judge-replaced', 'The reply of the judge names no reader or holds no answer; the vote of the paths stands in')
    return fromPath(paths, path?.output.status === 'answered' && named !== undefined ? named : voted)
  }
  return { status: 'answered', text, quoteIds: restsOn(reply, text, path.unit), chosen: named }
}

function fromPath(paths: readonly PathResult[], chosen: number): JudgeOutput {
  const output = paths[chosen]?.output
  return output === undefined ? { status: 'not-found', text: NOT_FOUND_TEXT, quoteIds: [], chosen } : { ...output, chosen }
}

function renderPath({ unit, output }: PathResult, at: number, room: number, count: (text: string) => number): string {
  const head = `Reader ${at + 1}:`
  const fitted = renderUnit(fitUnit(unit, { max: Math.max(1, room - count(head) - 2), count }).unit)
  const answer = output.status === 'answered' ? `Answer of reader ${at + 1}: ${output.text.replace(/\s+/g, ' ')}` : undefined
  const whole = [labelled(head, fitted) ?? head, answer].filter((part) => part !== undefined).join('\n')
  return count(whole) <= room ? whole : (labelled(head, fitted) ?? head)
}

/** Fewest tokens that a path may be brought down to. */
const LEAST_PATH = 32

function roomFor(self: Role, question: string | undefined, paths: number): number {
  const { description } = self
  const { chunk, parts, window } = solveBudget({ description, parts: roleParts(self, question), minimumChunk: 1 })
  const room = Math.floor(chunk / paths)
  if (room >= LEAST_PATH) return room
  throw new ContextOverflowError(
    `Cannot judge ${paths} paths with ${description.id}`,
    { ...parts, state: paths * LEAST_PATH },
    window,
    'Read fewer paths, or use the vote',
  )
}

function estimate(self: Role, { question, paths }: JudgeInput): Usage {
  const { count } = self.description
  const units = paths.reduce((sum, { unit, output: { text } }) => sum + count(renderUnit(unit)) + count(text) + SEAMS, 0)
  return roleUsage(self, roleParts(self, question), units, 1)
}
