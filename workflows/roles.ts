/** From what a caller gives (a chat model, a local model, an agent) to the agents of a strategy. */
import {
  isAgent,
  type Judge,
  judge,
  type Manager,
  mapper,
  type PromptOverride,
  quoteManager,
  quotingWorker,
  type Worker,
  writingManager,
  writingWorker,
} from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { type ChatModel, describe, isEvidenceModel, isLikelihoodModel, type ModelDescription, openLocalModel } from '../models/index.ts'
import type { SourceContext } from './strategy.ts'

/** Prompts of a strategy's agents; each that is absent keeps its default. */
export interface RolePrompts {
  readonly worker?: PromptOverride
  readonly manager?: PromptOverride
  readonly judge?: PromptOverride
  /** Brings notes together, where units are merged. */
  readonly merger?: PromptOverride
  /** Reads a text that fits one call, where a strategy makes such calls. */
  readonly reader?: PromptOverride
}

export interface RoleOptions {
  /** Model of every role that is not given its own; the bundled local model by default. */
  readonly model?: ChatModel
  /** Reads the chunks. A model that exposes likelihoods quotes, any other writes notes. */
  readonly worker?: ChatModel | Worker
  readonly manager?: ChatModel | Manager
  readonly judge?: ChatModel | Judge
  readonly prompts?: RolePrompts
  /** Most tokens of a communication unit. */
  readonly maxUnit?: number
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
}

export interface Roles {
  readonly worker: Worker
  readonly manager: Manager
  /** The model behind the manager, where one was given. */
  readonly managerModel: ChatModel | undefined
  judge(): Judge
}

/** `chain`: workers hand on a unit. `alone`: each starts its own. */
export async function resolveRoles(options: RoleOptions, kind: 'chain' | 'alone'): Promise<Roles> {
  const { prompts = {} } = options
  const model = await sharedModel(options)
  const workerGiven = options.worker ?? model
  const managerGiven = options.manager ?? model
  const managerModel = isAgent(managerGiven) ? model : managerGiven
  return {
    worker: isAgent(workerGiven) ? workerGiven : toWorker(required(workerGiven), options, kind, workerGiven === managerGiven),
    manager: isAgent(managerGiven) ? managerGiven : toManager(required(managerGiven), options),
    managerModel,
    judge() {
      const one = options.judge ?? managerModel
      return isAgent(one) ? one : judge(required(one), writing(required(one), options, prompts.judge))
    },
  }
}

/** The model of roles that have none of their own: the given one, else another role's, else the bundled one. */
async function sharedModel({ model, worker, manager }: RoleOptions): Promise<ChatModel | undefined> {
  if (model !== undefined) return model
  if (isAgent(worker) && isAgent(manager)) return undefined
  const other = [worker, manager].find((candidate) => candidate !== undefined && !isAgent(candidate))
  return (other as ChatModel | undefined) ?? openLocalModel()
}

function required(model: ChatModel | undefined): ChatModel {
  if (model === undefined) throw new TypeError('Cannot set up the strategy as a role has no model: give `model`, or one for each role')
  return model
}

/** Where worker and manager are one model that tells where it looked, the manager judges what retrieval chose, all of it together. */
function toWorker(model: ChatModel, options: RoleOptions, kind: 'chain' | 'alone', shared: boolean): Worker {
  if (isLikelihoodModel(model)) return quotingWorker(model, { judgeRetrieved: !(shared && isEvidenceModel(model)) })
  const make = kind === 'chain' ? writingWorker : mapper
  return make(model, writing(model, options, options.prompts?.worker))
}

function toManager(model: ChatModel, options: RoleOptions): Manager {
  return isLikelihoodModel(model) ? quoteManager(model) : writingManager(model, writing(model, options, options.prompts?.manager))
}

/** Options of a writing agent. */
export function writing(
  model: ChatModel,
  { maxUnit, description }: Pick<RoleOptions, 'maxUnit' | 'description'>,
  prompt?: PromptOverride,
): { maxUnit?: number; description?: ModelDescription; prompt?: PromptOverride } {
  return {
    ...(maxUnit === undefined ? {} : { maxUnit }),
    ...(description === undefined ? {} : { description: describe(model, description) }),
    ...(prompt === undefined ? {} : { prompt }),
  }
}

/** The chunks that a worker can read. */
export function chunksFor(context: SourceContext, worker: ChunkReader): Promise<readonly Chunk[]> {
  return context.chunk({ maxTokens: worker.chunkBudget(context.question), count: counterOf(worker) })
}

type ChunkReader = Pick<Worker, 'chunkBudget' | 'count' | 'chunkCount'>

/** One function for each worker, by which chunks that were cut for it are known again. */
const counters = new WeakMap<ChunkReader, (text: string) => number>()

function counterOf(worker: ChunkReader): (text: string) => number {
  const counter = counters.get(worker) ?? worker.chunkCount ?? ((text: string) => worker.count(text))
  counters.set(worker, counter)
  return counter
}

/** The question, as an agent's input takes it. */
export function asked({ question }: Pick<SourceContext, 'question'>): { question?: string } {
  return question === undefined ? {} : { question }
}

/** The question of a strategy that cannot do without one. */
export function questionOf({ question }: Pick<SourceContext, 'question'>): string {
  if (question === undefined) throw new TypeError('Cannot retrieve without a question: give one, or use map-reduce for a summary')
  return question
}
