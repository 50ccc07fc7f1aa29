import type { Fault } from './faults.ts'
import { chance } from './hash.ts'
import { type ScriptedCall, type ScriptedModel, scriptedModel, type ScriptedModelOptions } from './scripted-model.ts'

/** A fact hidden in a text, in RULER's form: "One of the special magic numbers for KEY is: VALUE." */
export interface Needle {
  /** `numbers`, `words` or `uuids`. */
  readonly type: string
  readonly key: string
  readonly value: string
}

export interface OracleOptions extends Omit<ScriptedModelOptions, 'rules' | 'fallback'> {
  /** Words the reply to what was found, none included; needle lines, or `nothing`, by default. */
  readonly reply?: (needles: readonly Needle[], call: ScriptedCall) => string
  /** Reply when the prompt holds no needle that is asked for. */
  readonly nothing?: string
}

const NEEDLE = /One of the special magic (\w+) for (\S+) is: ([\w-]+)\./g
const QUERY = /special magic \w+ for ((?:\S+, )*(?:and )?[^\s,]+(?: and [^\s,]+)?) (?:mentioned )?in the\b/g

/** The needles of a text, each once, in order. */
export function findNeedles(text: string): Needle[] {
  const found = new Map<string, Needle>()
  for (const [line, type = '', key = '', value = ''] of text.matchAll(NEEDLE)) found.set(line, { type, key, value })
  return [...found.values()]
}

/** A needle as a line. */
export function needleLine({ type, key, value }: Needle): string {
  return `One of the special magic ${type} for ${key} is: ${value}.`
}

/** The keys that a RULER question asks for: "… all the special magic numbers for A, B, and C mentioned in the provided text?" */
export function askedKeys(prompt: string): ReadonlySet<string> {
  const keys = [...prompt.matchAll(QUERY)].flatMap(([, list = '']) => list.split(/, and |, | and /))
  return new Set(keys.map((key) => key.replace(/^and /, '')))
}

/**
 * A worker that never errs: it reads its whole prompt and repeats the needles that it finds there and that are asked for (all, when the prompt asks
 * for none), be they in the chunk or carried in the communication unit. Its window is hard. So a wrong answer of a strategy is the strategy's fault.
 */
export function oracleModel(options: OracleOptions = {}): ScriptedModel {
  const { nothing = 'Nothing relevant.', reply = (needles) => needles.map(needleLine).join('\n') || nothing, ...rest } = options
  return scriptedModel({ id: 'oracle', corrupt: hallucinate, ...rest, fallback: (call) => reply(relevantNeedles(call.prompt), call) })
}

/** The shares of benchmark practice: 10 % empty, 5 % made-up values, 5 % timeouts, 5 % said twice, 5 % in a wrapping. */
const USUAL_FAULTS: readonly Fault[] = [
  { kind: 'empty', rate: 0.1 },
  { kind: 'wrong', rate: 0.05 },
  { kind: 'timeout', rate: 0.05 },
  { kind: 'duplicate', rate: 0.05 },
  { kind: 'noise', rate: 0.05 },
]

/** The oracle with seeded faults: what it costs a strategy to work with a worker that fails. */
export function faultyOracleModel(options: OracleOptions = {}): ScriptedModel {
  return oracleModel({ id: 'faulty-oracle', faults: USUAL_FAULTS, ...options })
}

function relevantNeedles(prompt: string): Needle[] {
  const asked = askedKeys(prompt)
  return findNeedles(prompt).filter(({ key }) => asked.size === 0 || asked.has(key))
}

/** Values of seven digits that the text does not hold, for the keys that were asked or found. */
function hallucinate(_answer: string, { prompt, seen }: ScriptedCall): string {
  const keys = new Set([...askedKeys(prompt), ...relevantNeedles(prompt).map(({ key }) => key)])
  const value = (key: string): string => String(1_000_000 + Math.floor(chance(`${seen} ${key} ${prompt}`) * 9_000_000))
  return [...keys].map((key) => needleLine({ type: 'numbers', key, value: value(key) })).join('\n') || 'It is well known.'
}
