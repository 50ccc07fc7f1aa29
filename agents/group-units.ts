import { ContextOverflowError } from '../errors/index.ts'
import { combineUnits } from './combine-units.ts'
import type { CommunicationUnit } from './communication-unit.ts'
import { renderUnit } from './fit-unit.ts'

export interface GroupLimits {
  /** Most tokens of a group's combined text. */
  readonly budget: number
  readonly count: (text: string) => number
  /** Most units of a group, at least 2; any number by default. */
  readonly most?: number
}

/**
 * Packs consecutive units into groups. Each group holds at least two units, but for a last one that is left over alone: so there are fewer groups than
 * units, and collapsing again and again comes to an end.
 *
 * @throws ContextOverflowError when two neighbours do not fit together, as then no progress is sure
 */
export function groupUnits(units: readonly CommunicationUnit[], limits: GroupLimits): CommunicationUnit[][] {
  const { most = Infinity } = limits
  const groups: CommunicationUnit[][] = []
  let group: CommunicationUnit[] = []
  for (const unit of units) {
    if (group.length === most || (group.length > 0 && !fitTogether([...group, unit], limits))) {
      if (group.length < 2) throw noProgress(group[0] ?? unit, unit, limits)
      groups.push(group)
      group = []
    }
    group.push(unit)
  }
  if (group.length > 0) groups.push(group)
  return withCompany(groups, limits)
}

/** A unit alone at the end takes a neighbour over where the group before can spare one and both fit. */
function withCompany(groups: CommunicationUnit[][], limits: GroupLimits): CommunicationUnit[][] {
  const last = groups.at(-1)
  const before = groups.at(-2)
  const spare = before?.at(-1)
  if (last?.length !== 1 || before === undefined || before.length < 3 || spare === undefined) return groups
  if (!fitTogether([spare, ...last], limits)) return groups
  return [...groups.slice(0, -2), before.slice(0, -1), [spare, ...last]]
}

/** Whether units may form a group by the tokens of their combined text. */
export function fitTogether(units: readonly CommunicationUnit[], { budget, count }: GroupLimits): boolean {
  return unitsSize(units, count) <= budget
}

/** Tokens of the combined text of units. */
export function unitsSize(units: readonly CommunicationUnit[], count: (text: string) => number): number {
  return count(renderUnit(combineUnits(units)))
}

/** The error of two units of which no group can be made. */
export function noProgress(first: CommunicationUnit, second: CommunicationUnit, { budget, count }: GroupLimits): ContextOverflowError {
  const parts = { first: unitsSize([first], count), second: unitsSize([second], count) }
  return new ContextOverflowError('Cannot merge two units', parts, budget, 'Lower maxUnit, or use a model with a larger window')
}
