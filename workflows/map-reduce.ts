/**
 * Map-reduce in text: every chunk is read alone, the units are merged level by level until they fit one call, and the manager answers.
 * The baseline that a chain must beat; its leaves run in parallel. `tree` lets choose what is merged together.
 */
import { emptyUnit, merger } from '../agents/index.ts'
import { isLikelihoodModel } from '../models/index.ts'
import { mergeLevels, type Merging } from './merge-levels.ts'
import { asked, chunksFor, resolveRoles, type RoleOptions, writing } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface MapReduceOptions extends RoleOptions {
  /** Chunks read at the same time; 4 by default. */
  readonly concurrency?: number
}

export function mapReduce(options: MapReduceOptions = {}): Strategy {
  const { concurrency = 4 } = options
  let opening: Promise<Merging> | undefined
  const merging = (): Promise<Merging> => (opening ??= openMerging(options, { concurrency, tolerance: 1 }))
  return {
    name: 'map-reduce',
    version: 2,
    plan: async (context) => planLevels('map-reduce', context, await merging()),
    run: async (context) => mergeLevels(context, await merging()),
  }
}

/** The agents of a merge. */
export async function openMerging(options: RoleOptions, limits: Pick<Merging, 'concurrency' | 'tolerance'>): Promise<Merging> {
  const { worker, manager, managerModel: model } = await resolveRoles(options, 'alone')
  const merges = model !== undefined && !isLikelihoodModel(model)
  return { worker, manager, merger: merges ? merger(model, writing(model, options, options.prompts?.merger)) : undefined, ...limits }
}

export async function planLevels(name: string, context: SourceContext, { worker, manager, concurrency }: Merging): Promise<Plan> {
  const chunks = await chunksFor(context, worker)
  const estimates = chunks.map((chunk) => worker.estimate({ chunk, ...asked(context) }))
  const answer = manager.estimate({ unit: emptyUnit, ...asked(context) })
  const criticalPath = Math.ceil(chunks.length / concurrency) + 1
  const notes = ['Merging is not counted: how much there is to merge is known only after reading']
  return sumPlan(name, [...estimates, answer], { chunks: chunks.length, criticalPath, notes })
}
