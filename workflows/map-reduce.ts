/**
 * Map-reduce in text: every chunk is read alone, the units are merged level by level until they fit one call, and the manager answers.
 * The baseline that a chain must beat; its leaves run in parallel.
 */
import { combineUnits, type CommunicationUnit, emptyUnit, groupUnits, type Merger, merger } from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { isLikelihoodModel } from '../models/index.ts'
import { attempt } from './attempt.ts'
import { toResult } from './chain-of-agents.ts'
import { createLevelsMachine } from './levels-machine.ts'
import { mapConcurrent } from './map-concurrent.ts'
import { asked, chunksFor, resolveRoles, type RoleOptions, type Roles, writing } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface MapReduceOptions extends RoleOptions {
  /** Chunks read at the same time; 4 by default. */
  readonly concurrency?: number
}

interface Reduction {
  readonly roles: Roles
  /** Absent where the workers quote: their units are joined without a model. */
  readonly merger: Merger | undefined
  readonly concurrency: number
}

export function mapReduce(options: MapReduceOptions = {}): Strategy {
  const { concurrency = 4 } = options
  let resolving: Promise<Reduction> | undefined
  const reduction = (): Promise<Reduction> => (resolving ??= prepare(options, concurrency))
  return {
    name: 'map-reduce',
    version: 1,
    plan: async (context) => planLevels(context, await reduction()),
    run: async (context) => runLevels(context, await reduction()),
  }
}

async function prepare(options: MapReduceOptions, concurrency: number): Promise<Reduction> {
  const roles = await resolveRoles(options, 'alone')
  const model = roles.managerModel
  const merges = model !== undefined && !isLikelihoodModel(model)
  return { roles, merger: merges ? merger(model, writing(model, options)) : undefined, concurrency }
}

function planLevels(context: SourceContext, { roles, concurrency }: Reduction): Plan {
  const chunks = chunksFor(context, roles.worker)
  const estimates = chunks.map((chunk) => roles.worker.estimate({ chunk, ...asked(context) }))
  const answer = roles.manager.estimate({ unit: emptyUnit, ...asked(context) })
  const criticalPath = Math.ceil(chunks.length / concurrency) + 1
  const notes = ['Merging is not counted: how much there is to merge is known only after reading']
  return sumPlan('map-reduce', [...estimates, answer], { chunks: chunks.length, criticalPath, notes })
}

async function runLevels(context: StrategyContext, reduction: Reduction): Promise<StrategyResult> {
  const chunks = chunksFor(context, reduction.roles.worker)
  const { manager } = reduction.roles
  let units: CommunicationUnit[] = []
  const machine = createLevelsMachine({
    async map() {
      units = await readAll(context, reduction, chunks)
    },
    async collapse(level) {
      context.phase('joining')
      units = reduction.merger === undefined ? units : await collapse(context, reduction.merger, units, level)
      return units.length
    },
    fits: () => reduction.merger === undefined || units.length <= 1,
  })
  await context.host('levels', machine, undefined)
  const unit = combineUnits(units)
  context.hold({ text: unit.notes, quotes: unit.quotes })
  context.phase('answering')
  return toResult(await context.step(manager, { unit, ...asked(context) }, { path: 'manager' }), unit.quotes)
}

async function readAll(
  context: StrategyContext,
  { roles, concurrency }: Reduction,
  chunks: readonly Chunk[],
): Promise<CommunicationUnit[]> {
  const quotes: CommunicationUnit['quotes'][number][] = []
  const units = await mapConcurrent(chunks, concurrency, async (chunk, index) => {
    const output = await attempt(() => context.step(roles.worker, { chunk, ...asked(context) }, { path: `map/${index}` }))
    quotes.push(...(output?.quotes ?? []))
    context.hold({ quotes })
    return output?.unit ?? emptyUnit
  })
  return units.filter(({ notes, quotes: found }) => notes !== '' || found.length > 0)
}

/** Merges neighbours; each group holds at least two units, so that the levels come to an end. */
async function collapse(
  context: StrategyContext,
  merging: Merger,
  units: readonly CommunicationUnit[],
  level: number,
): Promise<CommunicationUnit[]> {
  const groups = groupUnits(units, merging.groupBudget(context.question), (text) => merging.count(text))
  return mapConcurrent(groups, 4, async (group, index) => {
    const [only] = group
    if (group.length === 1 && only !== undefined) return only
    const { unit } = await context.step(merging, { units: group, ...asked(context) }, { path: `collapse/${level}/${index}` })
    return unit
  })
}
