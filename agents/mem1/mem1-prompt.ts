/** The words of MEM1's loop (arXiv 2506.15841): what each turn asks for. */
import type { Mem1Tool } from './mem1-tool.ts'
import type { Mem1Tags } from './mem1-tags.ts'

export const MEM1_SYSTEM: string =
  'You answer questions by looking things up, one look-up at a time. All that you will remember is what you write into your state: everything else is gone after each step.'

/** Several questions are answered in one go, in order. */
export function mem1Instruction(objectives: number, tools: readonly Mem1Tool[], words: number, tags: Mem1Tags): string {
  const { state, query, answer } = tags
  const [first] = tools
  const call =
    tools.length > 1 ? `<${query} tool="${first?.name ?? ''}">what to look up</${query}>` : `<${query}>what to look up</${query}>`
  const form = objectives === 1 ? 'the answer' : 'first answer; second answer; …'
  return [
    ...(tools.length > 1 ? ['Tools:', ...tools.map(({ name, description }) => `- ${name}: ${description}`)] : []),
    'Write two things, in this order:',
    `1. <${state}>your state</${state}>: all that matters of your last state and of what came back, and what is still open. Use at most ${words} words.`,
    `2. either one look-up about one thing, ${call}, or, once nothing is open, <${answer}>${form}</${answer}>.`,
    objectives === 1
      ? 'Keep the answer short and explain nothing in it.'
      : `The answer holds exactly ${objectives} answers parted by semicolons, in the order of the questions, each short and without explanation.`,
  ].join('\n')
}

/** What stands under the result of a look-up. */
export function turnsLeft(left: number, { answer }: Mem1Tags): string {
  if (left === 0) return `No look-ups are left: write your state and your <${answer}> now.`
  return left === 1 ? 'One look-up is left; after it the answer is due.' : `${left} look-ups are left.`
}

/** Why a reply is asked for once more. */
export type Mem1Fault =
  | 'no-action'
  | 'no-state'
  | 'long-state'
  | 'repeating-state'
  | 'unknown-tool'
  | 'empty-query'
  | 'answer-due'
  | 'answer-count'

/** What to say when it is. */
export function mem1Repair(
  fault: Mem1Fault,
  { tags, tools, words, objectives }: { tags: Mem1Tags; tools: readonly string[]; words: number; objectives: number },
): string {
  const { state, query, answer } = tags
  const repairs: Record<Mem1Fault, string> = {
    'no-action': `Your last reply had neither <${query}> nor <${answer}>. Write your state, then one of them.`,
    'no-state': `Your last reply had no <${state}>. Write your whole state first: what you leave out is forgotten.`,
    'long-state': `Your last state was too long. Keep all facts, but say them in at most ${words} words.`,
    'repeating-state': 'Your last state said the same words again and again. Say each thing once.',
    'unknown-tool': `Your last reply named a tool that is not there. There are: ${tools.join(', ')}.`,
    'empty-query': `Your last <${query}> was empty. Write what to look up.`,
    'answer-due': `No look-up is possible any more. Write your state and your <${answer}>, as well as you know it.`,
    'answer-count': `Your last <${answer}> did not hold ${objectives} answers. Give exactly ${objectives}, parted by semicolons; write unknown where you know none.`,
  }
  return repairs[fault]
}
