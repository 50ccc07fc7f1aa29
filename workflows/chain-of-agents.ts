/**
 * Chain of Agents (Zhang et al., NeurIPS 2024, arXiv 2406.02818): workers read the chunks in order and hand on a communication unit, a
 * manager answers from the last one (Algorithm 1). Several paths are joined by vote or judge (section 5.6).
 */
import { emptyUnit, type ManagerOutput, type PathResult, type Quote, vote } from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { attempt } from './attempt.ts'
import { createChainMachine } from './chain-machine.ts'
import { pathCount, type Paths, type ReadingPath, readingPaths } from './paths.ts'
import { asked, chunksFor, resolveRoles, type RoleOptions, type Roles } from './roles.ts'
import { sumPlan } from './sum-plan.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'

export interface ChainOfAgentsOptions extends RoleOptions {
  /** Orders to read in; `forward` by default. */
  readonly paths?: Paths
  /** How several paths are joined; `judge` by default. A vote suits short, closed answers only. */
  readonly join?: 'vote' | 'judge'
}

export function chainOfAgents(options: ChainOfAgentsOptions = {}): Strategy {
  const { paths = 'forward', join = 'judge' } = options
  let resolving: Promise<Roles> | undefined
  const roles = (): Promise<Roles> => (resolving ??= resolveRoles(options, 'chain'))
  return {
    name: 'chain-of-agents',
    version: 1,
    plan: async (context) => planChain(context, await roles(), paths, join),
    run: async (context) => runChain(context, await roles(), paths, join),
  }
}

async function planChain(context: SourceContext, roles: Roles, paths: Paths, join: 'vote' | 'judge'): Promise<Plan> {
  const chunks = await chunksFor(context, roles.worker)
  const number = pathCount(paths)
  const readings = chunks.map((chunk) => roles.worker.estimate({ chunk, ...asked(context) }))
  const answer = roles.manager.estimate({ ...asked(context), unit: emptyUnit })
  const judging = number > 1 && join === 'judge' ? [answer] : []
  return sumPlan('chain-of-agents', [...Array.from({ length: number }, () => [...readings, answer]).flat(), ...judging], {
    chunks: chunks.length,
    criticalPath: chunks.length + 1 + judging.length,
  })
}

async function runChain(context: StrategyContext, roles: Roles, paths: Paths, join: 'vote' | 'judge'): Promise<StrategyResult> {
  const chunks = await chunksFor(context, roles.worker)
  const results = await Promise.all(readingPaths(paths, chunks.length).map((path) => readPath(context, roles, chunks, path)))
  const [first] = results
  if (first === undefined) return { status: 'not-found' }
  if (results.length === 1) return toResult(first.output, first.unit.quotes)
  context.phase('joining')
  const { chosen, output } = await joinPaths(context, roles, results, join)
  return toResult(output, (results[chosen] ?? first).unit.quotes)
}

/** Reads the chunks in one order and answers from the last unit. */
async function readPath(context: StrategyContext, roles: Roles, chunks: readonly Chunk[], path: ReadingPath): Promise<PathResult> {
  let unit = emptyUnit
  async function read(cursor: number): Promise<void> {
    const chunk = chunks[path.order[cursor] as number] as Chunk
    const output = await attempt(() =>
      context.step(roles.worker, { chunk, unit, ...asked(context) }, { path: `chain/${path.name}/${cursor}` }),
    )
    if (output) unit = output.unit
    context.hold({ text: unit.notes, quotes: unit.quotes })
  }
  await context.host(`chain/${path.name}`, createChainMachine(chunks.length, read), undefined)
  context.phase('answering')
  const output = await context.step(roles.manager, { unit, ...asked(context) }, { path: `manager/${path.name}` })
  return { path: path.name, unit, output }
}

async function joinPaths(
  context: StrategyContext,
  roles: Roles,
  paths: readonly PathResult[],
  join: 'vote' | 'judge',
): Promise<{ chosen: number; output: ManagerOutput }> {
  if (join === 'vote') {
    const { chosen } = vote(paths)
    return { chosen, output: (paths[chosen] as PathResult).output }
  }
  const output = await context.step(roles.judge(), { paths, ...asked(context) }, { path: 'judge' })
  return { chosen: output.chosen, output }
}

/** The quotations that the answer rests on, best first; where it names none, those of the unit. */
export function toResult(output: ManagerOutput, quotes: readonly Quote[]): StrategyResult {
  const byId = new Map(quotes.map((quote) => [quote.id, quote]))
  const continued = new Set(output.continued)
  const named = output.quoteIds.flatMap((id) => {
    const quote = byId.get(id)
    return quote === undefined ? [] : [continued.has(id) ? { ...quote, continues: true } : quote]
  })
  const shown = named.length > 0 || output.status === 'not-found' ? named : quotes
  const { status, text, confidence } = output
  return { status, text, quotes: shown, ...(confidence === undefined ? {} : { confidence }) }
}
