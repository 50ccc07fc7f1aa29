/**
 * Hierarchical merging in text: all chunks are read side by side, each on its own, and the units merged level by level until what is left
 * fits the manager. The plan of the merges depends on the units alone, never on which call came back first.
 */
import {
  combineUnits,
  type CommunicationUnit,
  conflictsOf,
  emptyUnit,
  groupUnits,
  type Manager,
  type Merger,
  renderUnit,
  type Worker,
} from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { ModelError } from '../errors/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import { TreeGrower, type TreeMark } from './answer-tree.ts'
import { attempt } from './attempt.ts'
import { toResult } from './chain-of-agents.ts'
import { createLevelsMachine } from './levels-machine.ts'
import { mapConcurrent } from './map-concurrent.ts'
import { asked, chunksFor } from './roles.ts'
import { similarUnits } from './similar-units.ts'
import type { StrategyContext, StrategyResult } from './strategy.ts'

export interface Merging {
  readonly worker: Worker
  readonly manager: Manager
  /** Absent where the workers quote: their units are joined without a model. */
  readonly merger: Merger | undefined
  /** Calls under way at the same time. */
  readonly concurrency: number
  /** Most units of a merge; any number that fits by default. */
  readonly most?: number
  /** Merges units of the same matter rather than neighbours, by the vectors of their notes. */
  readonly similarBy?: NamedEmbedder
  /** Most tokens of a merge; what fits the merger by default. */
  readonly mergeTokens?: number
  /** What a worker sees of the text before its chunk; with it, chunks are read one after the other. */
  readonly background?: (before: { readonly chunk: Chunk; readonly unit: CommunicationUnit }) => string
  /** Share of the chunks that may fail for good. */
  readonly tolerance: number
}

/** A unit with its node. */
interface Branch {
  readonly id: string
  readonly unit: CommunicationUnit
}

export async function mergeLevels(context: StrategyContext, merging: Merging): Promise<StrategyResult> {
  const grower = new TreeGrower()
  let branches: Branch[] = []
  const machine = createLevelsMachine({
    async map() {
      branches = await readLeaves(context, merging, grower)
    },
    async collapse(level) {
      context.phase('joining')
      branches = await mergeLevel(context, merging, branches, level + 1, grower)
      return branches.length
    },
    fits: () => fits(context, merging, branches),
  })
  await context.host('levels', machine, undefined)
  const unit = plantRoot(grower, branches)
  const tree = grower.tree()
  const held = tree === undefined ? {} : { tree }
  context.hold({ text: unit.notes, quotes: unit.quotes, ...held })
  context.phase('answering')
  const output = await context.step(merging.manager, { unit, ...asked(context) }, { path: 'manager' })
  return { ...toResult(output, unit.quotes), ...held }
}

async function readLeaves(context: StrategyContext, merging: Merging, grower: TreeGrower): Promise<Branch[]> {
  const { worker, concurrency, tolerance, background } = merging
  const chunks = await chunksFor(context, worker)
  const allowed = Math.ceil(tolerance * chunks.length)
  const quotes: CommunicationUnit['quotes'][number][] = []
  let failures = 0
  let before: Parameters<NonNullable<Merging['background']>>[0] | undefined
  const leaves = await mapConcurrent(chunks, background === undefined ? concurrency : 1, async (chunk, index) => {
    let reason = ''
    const seen = background === undefined || before === undefined ? {} : { background: background(before) }
    const output = await attempt(
      () => context.step(worker, { chunk, ...seen, ...asked(context) }, { path: `map/${index}` }),
      (error) => {
        reason = error.message
        if (++failures > allowed) throw tooManyHoles(failures, chunks.length, tolerance, error)
      },
    )
    before = { chunk, unit: output?.unit ?? emptyUnit }
    quotes.push(...(output?.quotes ?? []))
    context.hold({ quotes })
    return { chunk, unit: output?.unit ?? emptyUnit, marks: output === undefined ? [gap(chunk, reason)] : [] }
  })
  return leaves.flatMap(({ chunk, unit, marks }) => {
    const { documentId, start, end } = chunk
    const id = grower.add(0, unit, { children: [], span: { documentId, start, end }, marks })
    return isEmptyUnit(unit) ? [] : [{ id, unit }]
  })
}

function gap({ documentId, start, end }: Chunk, reason: string): TreeMark {
  return { kind: 'gap', text: `This part could not be read: ${reason}`, spans: [{ documentId, start, end }] }
}

function tooManyHoles(failed: number, chunks: number, tolerance: number, cause: ModelError): ModelError {
  const { reason, model } = cause
  const message = `Cannot merge as ${failed} of ${chunks} chunks could not be read, more than the tolerance of ${tolerance}: ${cause.message}`
  return new ModelError(message, { reason, model, cause })
}

function isEmptyUnit({ notes, quotes }: CommunicationUnit): boolean {
  return notes === '' && quotes.length === 0
}

/** Merges one level; each group holds at least two units, so that the levels come to an end. */
async function mergeLevel(
  context: StrategyContext,
  merging: Merging,
  branches: readonly Branch[],
  level: number,
  grower: TreeGrower,
): Promise<Branch[]> {
  const { merger, concurrency } = merging
  if (merger === undefined) return [...branches]
  const groups = await groupBranches(context, merging, merger, branches, level)
  const merged = await mapConcurrent(groups, concurrency, async (group, index) => {
    if (group.length === 1) return undefined
    const units = group.map(({ unit }) => unit)
    return (await context.step(merger, { units, ...asked(context) }, { path: `merge/${level}/${index}` })).unit
  })
  // Nodes are added once all are merged, so that their ids follow the text and not the calls.
  return groups.flatMap((group, index) => {
    const unit = merged[index]
    if (unit === undefined) return group
    return { id: grower.add(level, unit, { children: group.map(({ id }) => id), marks: conflictMarks(unit) }), unit }
  })
}

async function groupBranches(
  context: StrategyContext,
  { most, similarBy, mergeTokens = Infinity }: Merging,
  merger: Merger,
  branches: readonly Branch[],
  level: number,
): Promise<Branch[][]> {
  const units = branches.map(({ unit }) => unit)
  const limits = {
    budget: Math.min(mergeTokens, merger.groupBudget(context.question)),
    count: (text: string) => merger.count(text),
    ...(most === undefined ? {} : { most }),
  }
  if (similarBy === undefined) {
    const byUnit = new Map(branches.map((branch) => [branch.unit, branch]))
    return groupUnits(units, limits).map((group) => group.flatMap((unit) => byUnit.get(unit) ?? []))
  }
  const groups = await context.step(similarUnits(similarBy), { units, limits }, { path: `group/${level}` })
  return groups.map((group) => group.flatMap((index) => branches[index] ?? []))
}

function conflictMarks({ notes, quotes }: CommunicationUnit): TreeMark[] {
  const byId = new Map(quotes.map((quote) => [quote.id, quote]))
  return conflictsOf(notes).map(({ text, quoteIds }) => ({
    kind: 'conflict',
    text,
    spans: quoteIds.flatMap((id) => {
      const quote = byId.get(id)
      return quote === undefined ? [] : [{ documentId: quote.documentId, start: quote.start, end: quote.end }]
    }),
  }))
}

/** Whether the manager can see all that is left. */
function fits(context: StrategyContext, { manager, merger }: Merging, branches: readonly Branch[]): boolean {
  if (merger === undefined || branches.length <= 1) return true
  const room = manager.room?.(context.question)
  return room !== undefined && merger.count(renderUnit(combineUnits(branches.map(({ unit }) => unit)))) <= room
}

/** The node that the answer is written from: all that is left, beside the leaves that held nothing. */
function plantRoot(grower: TreeGrower, branches: readonly Branch[]): CommunicationUnit {
  const unit = combineUnits(branches.map((branch) => branch.unit))
  const children = grower.orphans()
  if (children.length > 1) grower.add(grower.height, unit, { children, marks: conflictMarks(unit) })
  return unit
}
