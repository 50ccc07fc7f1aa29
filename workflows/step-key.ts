import { createHash } from 'node:crypto'
import type { Agent } from '../agents/index.ts'

/** What determines a step's output. No path and no run: an equal step anywhere has the same key. */
export interface StepIdentity {
  /** Keeps apart what must not be shared, such as two experiments. */
  readonly namespace: string
  readonly agent: Pick<Agent<never, unknown>, 'name' | 'version' | 'identity'>
  /** The agent's own key of its input: plain data. */
  readonly input: unknown
  /** Number of the sample where several are wanted of one input, from 0. */
  readonly sample: number
}

/** Raised when the form below changes, so that old keys are not met by chance. */
const FORM = 1

/**
 * The cache key of a step: SHA-256, hexadecimal, of its identity as canonical JSON.
 *
 * @throws TypeError when the input holds what JSON cannot tell apart or cannot hold: functions, symbols, big integers, NaN, infinities,
 *   cycles, or objects of a class; the message names the place
 */
export function stepKey({ namespace, agent, input, sample }: StepIdentity): string {
  const { name, version, identity } = agent
  const text = canonicalJson([FORM, namespace, name, version, identity, input, sample])
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with sorted keys and without undefined members: equal data gives equal text. Lone surrogates are escaped, so that none are lost. */
export function canonicalJson(value: unknown): string {
  return write(value, 'input', [])
}

function write(value: unknown, place: string, above: readonly object[]): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number') return writeNumber(value, place)
  if (typeof value !== 'object') throw refusal(value, place, `${article(typeof value)} has no canonical form`)
  if (above.includes(value)) throw refusal('[circular]', place, 'it holds itself')
  return Array.isArray(value) ? writeList(value, place, [...above, value]) : writeRecord(value, place, [...above, value])
}

function writeNumber(value: number, place: string): string {
  if (!Number.isFinite(value)) throw refusal(value, place, 'only finite numbers can be told apart in JSON')
  return JSON.stringify(value)
}

function writeList(list: readonly unknown[], place: string, above: readonly object[]): string {
  return `[${Array.from(list, (item, index) => write(item, `${place}[${index}]`, above)).join()}]`
}

function writeRecord(record: object, place: string, above: readonly object[]): string {
  const prototype: unknown = Object.getPrototypeOf(record)
  if (prototype !== Object.prototype && prototype !== null) {
    throw refusal(record.constructor.name, place, 'only plain objects and lists have a canonical form')
  }
  const members = Object.entries(record).filter(([, value]) => value !== undefined)
  members.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${write(value, `${place}.${name}`, above)}`).join()}}`
}

function refusal(value: unknown, place: string, why: string): TypeError {
  return new TypeError(`Cannot make a key of ${place} as ${why}: ${String(value)}. Return plain data from the agent's key`)
}

function article(kind: string): string {
  return kind === 'undefined' ? 'undefined' : `a ${kind}`
}
