/** What a model of MEM1 is shown: its last turn alone, or all turns, or as many of the newest as fit. */
import { parseTurn, paperTags, renderMem1Info } from '../agents/index.ts'
import { createMemoryStore } from '../memory/index.ts'
import { type ChatMessage, replyText } from '../models/index.ts'
import type { ScriptedModel } from '../testing/index.ts'
import { composeQuestions, mem1 } from '../workflows/index.ts'
import type { Segment } from './mem1-score.ts'

export const policies = ['mem1', 'mem1-archive', 'full', 'truncate'] as const
export type Policy = (typeof policies)[number]

export interface Loop {
  readonly model: ScriptedModel
  readonly questions: readonly string[]
  readonly search: (query: string) => Promise<string>
  readonly count: (text: string) => number
  readonly signal: AbortSignal
}

/** What a loop came to. */
export interface LoopResult {
  readonly answers: readonly string[]
  /** Most tokens that a prompt may have. */
  readonly cap: number
}

/** Most tokens of the state, of what comes back, and most turns. */
export function sizesOf(questions: number): { stateTokens: number; observationTokens: number; maxTurns: number } {
  return { stateTokens: 64 + 20 * questions, observationTokens: 700, maxTurns: 3 * questions + 1 }
}

export async function runPolicy(policy: Policy, loop: Loop): Promise<LoopResult> {
  const { model, questions, search, signal } = loop
  const archive = { memory: createMemoryStore(), scope: 'bench', threadId: 'loop' }
  const tools = [{ name: 'search', description: 'finds passages', run: search }]
  const solver = mem1({ model, tools, ...sizesOf(questions.length), ...(policy === 'mem1-archive' && { archive }) })
  const cap = solver.budget(questions).prompt
  if (policy === 'full' || policy === 'truncate') return { answers: await runHistory(loop, policy === 'full' ? Infinity : cap), cap }
  const { answers } = await solver.answer(questions, { signal })
  return { answers, cap }
}

const REPAIR = 'Your last reply could not be used.'

/** All turns stay in sight, or the newest that fit into `cap` tokens: what most agents do. */
async function runHistory({ model, questions, search, count, signal }: Loop, cap: number): Promise<readonly string[]> {
  const { maxTurns } = sizesOf(questions.length)
  const task: ChatMessage[] = [
    { role: 'system', content: 'You answer questions by looking things up, one look-up at a time.' },
    { role: 'user', content: `Question: ${composeQuestions(questions)}` },
  ]
  const turns: ChatMessage[][] = []
  for (let at = 0; at < maxTurns; at++) {
    const left = maxTurns - at - 1
    const due = left === 0 ? 'No look-ups are left.' : `${left} look-ups are left.`
    const longest: ChatMessage = { role: 'user', content: `${due} ${REPAIR}` }
    const shown = fitTurns(turns, cap - tokensOf([...task, longest], count), count)
    let text = ''
    let action: ReturnType<typeof parseTurn>['action']
    for (const message of [{ ...longest, content: due }, longest]) {
      const messages = [...task, ...shown, message]
      text = replyText((await model.invoke(messages, { signal })).content)
      ;({ action } = parseTurn(text, { tags: paperTags, tools: ['search'] }))
      if (action?.kind === 'answer' && action.answers.length === questions.length) return action.answers
      if (action?.kind === 'query' && left > 0) break
    }
    const info = action?.kind === 'query' ? await search(action.query) : 'Nothing was looked up.'
    turns.push([
      { role: 'assistant', content: text },
      { role: 'user', content: renderMem1Info(info, paperTags) },
    ])
  }
  return []
}

function fitTurns(turns: readonly ChatMessage[][], room: number, count: (text: string) => number): ChatMessage[] {
  let left = room
  let from = turns.length
  while (from > 0 && left - tokensOf(turns[from - 1] ?? [], count) >= 0) left -= tokensOf(turns[--from] ?? [], count)
  return turns.slice(from).flat()
}

function tokensOf(messages: readonly ChatMessage[], count: (text: string) => number): number {
  return messages.reduce((sum, { content }) => sum + count(content), 0)
}

/** What each call saw behind the task, and what it said. */
export function segmentsOf({ calls }: ScriptedModel): Segment[] {
  return calls.map(({ messages, answer = '' }) => ({
    prefix: messages
      .slice(2)
      .map(({ content }) => content)
      .join('\n'),
    reply: answer,
  }))
}
