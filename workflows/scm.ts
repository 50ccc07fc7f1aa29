/**
 * SCM over documents (arXiv 2304.13343, ultra-long summarisation in its released code): parts are read in order, each with the one before
 * it as flash memory, and their summaries merged in groups, level by level, until the manager can see all of them.
 */
import { merger, renderUnit, sectionReader, writingManager } from '../agents/index.ts'
import { type ChatModel, describe, type ModelDescription, openLocalModel } from '../models/index.ts'
import { planLevels } from './map-reduce.ts'
import { mergeLevels, type Merging } from './merge-levels.ts'
import { type RolePrompts, writing } from './roles.ts'
import type { Strategy } from './strategy.ts'

export interface ScmOptions {
  /** The bundled local model by default. */
  readonly model?: ChatModel
  readonly prompts?: Pick<RolePrompts, 'worker' | 'manager' | 'merger'>
  /** Whether a part is read with the one before it as background; off, to measure what that is worth. */
  readonly flash?: boolean
  /** Calls under way at the same time while merging; 4 by default. Parts are read one after the other. */
  readonly concurrency?: number
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
}

/** Tokens of a group of summaries, up to which the part before is background as it stands, and of a summary at least and at most. */
const GROUP_TOKENS = 2300
const FLASH_TOKENS = 500
const SUMMARY_TOKENS = { least: 64, most: 1000 }
/** What a merge's prompt and format take, for the length of a summary. */
const PROMPT_TOKENS = 400

/** Summarises documents of any length, or answers a question of them. */
export function scm(options: ScmOptions = {}): Strategy {
  let opening: Promise<Merging> | undefined
  const merging = (): Promise<Merging> => (opening ??= open(options))
  return {
    name: 'scm',
    version: 1,
    plan: async (context) => planLevels('scm', context, await merging()),
    run: async (context) => mergeLevels(context, await merging()),
  }
}

async function open({ model, prompts = {}, flash = true, concurrency = 4, description: known }: ScmOptions): Promise<Merging> {
  const opened = model ?? (await openLocalModel())
  const description = describe(opened, known)
  const mergeTokens = Math.min(GROUP_TOKENS, Math.floor(description.window / 2))
  const sizes = { description, maxUnit: summaryTokens(description, mergeTokens) }
  const { count } = description
  return {
    worker: sectionReader(opened, { ...writing(opened, {}, prompts.worker), ...sizes }),
    manager: writingManager(opened, { ...writing(opened, {}, prompts.manager), description }),
    merger: merger(opened, { ...writing(opened, {}, prompts.merger), ...sizes }),
    mergeTokens,
    concurrency,
    tolerance: 1,
    ...(flash ? { background: ({ chunk, unit }) => (count(chunk.text) < FLASH_TOKENS ? chunk.text : renderUnit(unit)) } : {}),
  }
}

/**
 * Most tokens of a summary. The released code asks for this number in characters, and for none at all of a group of 3,600 tokens; here it
 * is in tokens, never below a floor, and never so large that two summaries do not fit one group.
 */
function summaryTokens({ window, maxOutput }: ModelDescription, group: number): number {
  const room = Math.min(window - group - PROMPT_TOKENS, SUMMARY_TOKENS.most, maxOutput, Math.floor(group / 2) - SUMMARY_TOKENS.least)
  return Math.max(Math.min(SUMMARY_TOKENS.least, maxOutput), room)
}
