/** Decimal numbers within bounds, as an automaton over their digits. */
import { byteTable, type ByteTable, type TableState } from './byte-table.ts'

export interface NumberRules {
  readonly integer: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  /** A whole number from 1. */
  readonly multipleOf?: number
}

/** Digits that a double holds whatever they are. */
const exactDigits = 15
const mostFraction = 6
const mostStates = 12_000

/** A beginning of a number without its sign: its digits, and how many of them stand after the point (undefined: no point yet). */
interface Prefix {
  readonly digits: bigint
  readonly whole: number
  readonly fraction: number | undefined
}

/** Least and most of what is allowed, in units of the last digit; `step` is 1 or the multiple. */
interface Range {
  readonly low: bigint
  readonly high: bigint
  readonly step: bigint
  /** Most digits before and after the point. */
  readonly whole: number
  readonly fraction: number
}

/** Numbers of at most 15 digits without an exponent that keep `rules`. State 0 is the first. */
export function numberTable(rules: NumberRules, usable: Uint8Array): ByteTable {
  const range = rangeOf(rules)
  const states: TableState[] = [{ accepts: false, edges: new Map() }]
  const known = new Map<string, number>()
  const positive = side(range, states, known, '+')
  const negative = side({ ...range, low: -range.high, high: -range.low }, states, known, '-')
  const minus = states.push({ accepts: false, edges: negative }) - 1
  states[0] = { accepts: false, edges: new Map([...positive, ...(negative.size > 0 ? [[0x2d, minus] as const] : [])]) }
  return byteTable(states, usable)
}

/** Edges by the first digit of numbers of one sign. */
function side(range: Range, states: TableState[], known: Map<string, number>, sign: string): Map<number, number> {
  const stateOf = (prefix: Prefix): number | undefined => {
    if (!canBeCompleted(prefix, range)) return undefined
    const key = sign + keyOf(prefix, range)
    const seen = known.get(key)
    if (seen !== undefined) return seen
    if (states.length >= mostStates) throw new TypeError(`Cannot constrain a number as its automaton has more than ${mostStates} states`)
    const state = states.push({ accepts: false, edges: new Map() }) - 1
    known.set(key, state)
    states[state] = { accepts: isAllowed(prefix, range), edges: edgesOf(prefix) }
    return state
  }
  const edgesOf = (prefix: Prefix): Map<number, number> => {
    const edges = new Map<number, number>()
    for (const [byte, next] of following(prefix, range)) {
      const to = stateOf(next)
      if (to !== undefined) edges.set(byte, to)
    }
    return edges
  }
  return edgesOf({ digits: 0n, whole: 0, fraction: undefined })
}

function* following({ digits, whole, fraction }: Prefix, range: Range): Generator<[byte: number, next: Prefix], undefined> {
  const isZero = whole === 1 && digits === 0n
  for (let digit = 0; digit <= 9; digit++) {
    const next = digits * 10n + BigInt(digit)
    if (fraction !== undefined && fraction < range.fraction) yield [0x30 + digit, { digits: next, whole, fraction: fraction + 1 }]
    if (fraction === undefined && !isZero && whole < range.whole) yield [0x30 + digit, { digits: next, whole: whole + 1, fraction }]
  }
  if (fraction === undefined && whole > 0 && range.fraction > 0) yield [0x2e, { digits, whole, fraction: 0 }]
}

function isAllowed(prefix: Prefix, range: Range): boolean {
  if (prefix.fraction === 0) return false
  const value = prefix.digits * 10n ** BigInt(range.fraction - (prefix.fraction ?? 0))
  return range.low <= value && value <= range.high && value % range.step === 0n
}

/** Values that begin with `prefix`: for each number of digits still to come before the point, the least and the most. */
function* reachable({ digits, whole, fraction }: Prefix, range: Range): Generator<[low: bigint, high: bigint], undefined> {
  const isFixed = fraction !== undefined || (whole === 1 && digits === 0n)
  const most = isFixed ? 0 : range.whole - whole
  for (let more = whole === 0 ? 1 : 0; more <= most; more++) {
    const unit = 10n ** BigInt(range.fraction - (fraction ?? 0) + more)
    yield [digits * unit, (digits + 1n) * unit - 1n]
  }
}

function canBeCompleted(prefix: Prefix, range: Range): boolean {
  for (const [low, high] of reachable(prefix, range)) {
    const from = low > range.low ? low : range.low
    const to = high < range.high ? high : range.high
    // Both are at least 0 here, as `low` is.
    if (from <= to && (to / range.step) * range.step >= from) return true
  }
  return false
}

/** Beginnings with one key go on alike: within the bounds whatever comes, only how many digits there are matters, and the remainder. */
function keyOf(prefix: Prefix, range: Range): string {
  const { digits, whole, fraction } = prefix
  const isFree = [...reachable(prefix, range)].every(([low, high]) => range.low <= low && high <= range.high)
  const isZero = whole === 1 && digits === 0n
  const length = fraction === undefined ? `${isZero ? 'zero' : whole}` : `.${fraction}`
  return isFree ? `free ${length} ${digits % range.step}` : `${digits} ${length}`
}

function rangeOf({ integer, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: NumberRules): Range {
  const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].filter((bound) => bound !== undefined)
  const whole = wholeDigits(bounds, exclusiveMinimum ?? minimum, exclusiveMaximum ?? maximum, multipleOf)
  const isInteger = integer || multipleOf !== undefined
  const wanted = Math.max(mostFraction, ...bounds.map((bound) => decimalOf(bound).fraction + 1))
  const fraction = isInteger ? 0 : Math.max(0, Math.min(wanted, exactDigits - whole))
  const most = 10n ** BigInt(whole + fraction) - 1n
  const lows = [-most]
  const highs = [most]
  if (minimum !== undefined) lows.push(scaled(minimum, fraction, 'up'))
  if (exclusiveMinimum !== undefined) lows.push(scaled(exclusiveMinimum, fraction, 'down') + 1n)
  if (maximum !== undefined) highs.push(scaled(maximum, fraction, 'down'))
  if (exclusiveMaximum !== undefined) highs.push(scaled(exclusiveMaximum, fraction, 'up') - 1n)
  const largest = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b))
  const smallest = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b))
  return { low: largest(lows), high: smallest(highs), step: BigInt(multipleOf ?? 1), whole, fraction }
}

/** As many digits before the point as the bounds have, or many where a side has none. */
function wholeDigits(bounds: readonly number[], low: number | undefined, high: number | undefined, multipleOf: number | undefined): number {
  const needed = Math.max(1, ...bounds.map((bound) => Math.trunc(Math.abs(bound)).toString().length))
  const open = low === undefined || high === undefined ? (multipleOf === undefined ? 10 : 9) : 1
  return Math.min(Math.max(needed, open), exactDigits)
}

/** A number as whole digits and how many of them stand after the point. */
function decimalOf(value: number): { readonly digits: bigint; readonly fraction: number } {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e')
  const [before = '0', after = ''] = mantissa.split('.')
  const fraction = after.length - Number(exponent)
  const digits = BigInt(before + after)
  return fraction >= 0 ? { digits, fraction } : { digits: digits * 10n ** BigInt(-fraction), fraction: 0 }
}

/** `value` in units of the last of `fraction` digits, rounded. */
function scaled(value: number, fraction: number, direction: 'up' | 'down'): bigint {
  const { digits, fraction: has } = decimalOf(value)
  if (has <= fraction) return digits * 10n ** BigInt(fraction - has)
  const unit = 10n ** BigInt(has - fraction)
  const floor = digits / unit - (digits < 0n && digits % unit !== 0n ? 1n : 0n)
  return direction === 'down' || digits % unit === 0n ? floor : floor + 1n
}
