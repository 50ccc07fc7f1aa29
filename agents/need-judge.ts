/** The memory's first question about a message: does answering it need anything that was said before? */
import { type ChatModel, describe, type LikelihoodModel } from '../models/index.ts'
import type { Agent, AgentContext } from './agent.ts'
import { computeQueries, oneLine } from './question-likelihood.ts'
import { callRole, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { beginning } from './turn-judge.ts'
import { usageOf } from './usage-of.ts'
import { yesOrNo } from './yes-or-no.ts'

export interface NeedJudgeInput {
  /** The user's newest message. */
  readonly question: string
}

export interface NeedJudgeOutput {
  readonly needed: boolean
  readonly calls: number
}

export type NeedJudge = Agent<NeedJudgeInput, NeedJudgeOutput>

const SYSTEM = 'You decide whether a message of a conversation can be answered without what was said before it.'

export function needInstruction(): string {
  return 'Does a good answer to the message need anything that was said earlier in the conversation? Reply with one word: YES or NO'
}

/**
 * Asks a chat model. A reply that is neither yes nor no counts as yes.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function needJudge(model: ChatModel, options: RoleOptions = {}): NeedJudge {
  const { description = describe(model) } = options
  const maxOutput = Math.min(description.maxOutput, 8)
  const self = roleOf(model, { ...options, description }, { system: SYSTEM, instruction: needInstruction }, { maxOutput })
  return {
    name: 'need-judge',
    version: 1,
    identity: self.identity,
    key: ({ question }) => ({ question }),
    async run({ question }, context) {
      const parts = roleParts(self, undefined)
      const room = description.window - Math.ceil(description.window * description.margin) - parts.system - parts.instruction - parts.output
      const message = beginning(question, Math.floor(room / 2), description.count)
      const reply = await callRole(self, context, { sections: [`Message: ${message}`, self.orders(question)] })
      return { needed: yesOrNo(reply) !== false, calls: 1 }
    },
    place: (recorded) => recorded,
    estimate: ({ question }) => roleUsage(self, roleParts(self, question), 0, 1),
  }
}

export interface LikelihoodNeedOptions {
  /** Log ratio from which memory is needed; 0 by default, which is where an empty message stands. */
  readonly threshold?: number
}

/** What stands in for a message to measure how far a model leans to one of the two words. */
const EMPTY_MESSAGE = 'N/A'

/**
 * Asks a model that exposes likelihoods: log P(yes) - log P(no) after the message, less the same after an empty message, so that the
 * model's liking for one of the words does not count (contextual calibration, arXiv 2102.09690, section 3).
 */
export function likelihoodNeedJudge(model: LikelihoodModel, options: LikelihoodNeedOptions = {}): NeedJudge {
  const { threshold = 0 } = options
  return {
    name: 'likelihood-need-judge',
    version: 1,
    identity: JSON.stringify({ model: model.id, threshold }),
    key: ({ question }) => ({ question }),
    run: (input, context) => weigh(model, threshold, input, context),
    place: (recorded) => recorded,
    estimate: ({ question }) => usageOf({ price: { input: 0, output: 0 } }, 1, 4 * model.count(needPrefix(question)), 0),
  }
}

async function weigh(
  model: LikelihoodModel,
  threshold: number,
  { question }: NeedJudgeInput,
  context: AgentContext,
): Promise<NeedJudgeOutput> {
  const room = model.window - model.count(needPrefix('')) - 8
  const message = beginning(oneLine(question), room, (text) => model.count(text))
  const queries = [message, EMPTY_MESSAGE].flatMap((text) => [' yes', ' no'].map((word) => ({ prefix: needPrefix(text), text: word })))
  const found = await computeQueries(model, queries, context, (signal) => model.logProbs(queries, { signal }))
  const [yes = 0, no = 0, emptyYes = 0, emptyNo = 0] = found.map(({ logProb }) => logProb)
  return { needed: yes - no - (emptyYes - emptyNo) >= threshold, calls: 1 }
}

function needPrefix(message: string): string {
  return `Message: ${message}\nQuestion: Is what was said before needed to answer this message?\nAnswer:`
}
