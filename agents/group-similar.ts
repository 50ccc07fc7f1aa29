import type { CommunicationUnit } from './communication-unit.ts'
import { fitTogether, type GroupLimits, noProgress, unitsSize } from './group-units.ts'

/**
 * Packs units into groups of the same matter: the first unit that has no group yet takes the most similar others of those, one by one, as long as they
 * fit. Members stand in the order of the text, and groups in the order of their first members, so that the result depends on nothing but the input.
 * Each group holds at least two units, but for one left over at the end.
 *
 * @param vectors one unit vector a unit; units without words may have any
 * @returns indices of the units of each group
 * @throws ContextOverflowError when a unit fits together with none of those left
 */
export function groupSimilar(units: readonly CommunicationUnit[], vectors: readonly Float32Array[], limits: GroupLimits): number[][] {
  const sizes = units.map((unit) => unitsSize([unit], limits.count))
  const left = new Set(units.keys())
  const groups: number[][] = []
  for (const first of units.keys()) {
    if (!left.delete(first)) continue
    const group = withSimilar(first, left, { units, vectors, sizes }, limits)
    if (group.length === 1 && left.size > 0) throw noProgress(unitAt(units, first), unitAt(units, [...left][0] ?? first), limits)
    groups.push(group.toSorted((a, b) => a - b))
  }
  return groups
}

interface Measured {
  readonly units: readonly CommunicationUnit[]
  readonly vectors: readonly Float32Array[]
  /** Tokens of each unit. */
  readonly sizes: readonly number[]
}

function withSimilar(first: number, left: Set<number>, { units, vectors, sizes }: Measured, limits: GroupLimits): number[] {
  const { most = Infinity, budget } = limits
  const group = [first]
  let size = sizes[first] ?? 0
  const scores = new Map([...left].map((other) => [other, similarity(vectors[first], vectors[other])]))
  const ranked = [...left].toSorted((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || a - b)
  for (const other of ranked) {
    if (group.length >= most) break
    // Units are hardly shorter together than apart, so that most of what does not fit need not be counted.
    if (size + (sizes[other] ?? 0) > budget) continue
    const members = [...group, other].toSorted((a, b) => a - b).map((index) => unitAt(units, index))
    if (!fitTogether(members, limits)) continue
    group.push(other)
    size += sizes[other] ?? 0
    left.delete(other)
  }
  return group
}

function unitAt(units: readonly CommunicationUnit[], index: number): CommunicationUnit {
  const unit = units[index]
  if (unit === undefined) throw new RangeError(`Cannot group units as there is none of index ${index}`)
  return unit
}

/** Cosine of two unit vectors. */
function similarity(a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}
