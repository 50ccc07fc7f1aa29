import { ContextOverflowError } from '../errors/index.ts'
import { combineUnits } from './combine-units.ts'
import type { CommunicationUnit } from './communication-unit.ts'
import { renderUnit } from './fit-unit.ts'

/**
 * Packs consecutive units into groups whose combined text has at most `budget` tokens. Each group holds at least two units, but for a last one that is
 * left over alone: so there are fewer groups than units, and collapsing again and again comes to an end.
 *
 * @throws ContextOverflowError when two neighbours do not fit together, as then no progress is sure
 */
export function groupUnits(units: readonly CommunicationUnit[], budget: number, count: (text: string) => number): CommunicationUnit[][] {
  const groups: CommunicationUnit[][] = []
  let group: CommunicationUnit[] = []
  for (const unit of units) {
    if (group.length > 0 && size([...group, unit], count) > budget) {
      if (group.length < 2) throw noProgress(group[0] ?? unit, unit, budget, count)
      groups.push(group)
      group = []
    }
    group.push(unit)
  }
  if (group.length > 0) groups.push(group)
  return withCompany(groups, budget, count)
}

/** A unit alone at the end takes a neighbour over where the group before can spare one and both fit. */
function withCompany(groups: CommunicationUnit[][], budget: number, count: (text: string) => number): CommunicationUnit[][] {
  const last = groups.at(-1)
  const before = groups.at(-2)
  const spare = before?.at(-1)
  if (last?.length !== 1 || before === undefined || before.length < 3 || spare === undefined) return groups
  if (size([spare, ...last], count) > budget) return groups
  return [...groups.slice(0, -2), before.slice(0, -1), [spare, ...last]]
}

function size(units: readonly CommunicationUnit[], count: (text: string) => number): number {
  return count(renderUnit(combineUnits(units)))
}

function noProgress(
  first: CommunicationUnit,
  second: CommunicationUnit,
  budget: number,
  count: (text: string) => number,
): ContextOverflowError {
  const parts = { first: size([first], count), second: size([second], count) }
  return new ContextOverflowError('Cannot merge two units', parts, budget, 'Lower maxUnit, or use a model with a larger window')
}
