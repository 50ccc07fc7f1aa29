import { InvalidArgumentError } from 'commander'
import type { Limits, Paths } from '../workflows/index.ts'
import { UsageError } from './usage-error.ts'

export const strategyNames = [
  'auto',
  'chain-of-agents',
  'homer',
  'map-reduce',
  'mem1',
  'retrieve',
  'scm',
  'stuff',
  'tree',
  'truncate',
] as const
export type StrategyName = (typeof strategyNames)[number]

export const logLevels = ['debug', 'info', 'warn', 'error'] as const

/** The flags that every command takes. */
export interface CommonFlags {
  readonly store?: string
  readonly color: boolean
}

/** The flags of `ask`, parsed. */
export interface AskFlags extends CommonFlags {
  readonly strategy: StrategyName
  readonly model: string
  readonly chunker?: string
  readonly chunkTokens?: number
  readonly keep?: number
  readonly budget?: number
  readonly limit?: Limits
  readonly paths?: Paths
  readonly json?: boolean
  readonly stream?: boolean
  readonly fresh?: boolean
  readonly resume?: string
  readonly dryRun?: boolean
  readonly window?: number
  readonly maxOutput?: number
  readonly log?: string
  readonly logLevel: (typeof logLevels)[number]
}

/** Most permutations that `--paths` takes: each is a whole reading. */
const MOST_PERMUTATIONS = 64

export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

export function parseAmount(text: string): number {
  const amount = Number(text)
  if (text.trim() !== '' && Number.isFinite(amount) && amount >= 0) return amount
  throw new InvalidArgumentError('It must be a number from 0.')
}

export function parseText(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It must not be empty.')
}

/** `calls=100`; given several times, the limits add up. */
export function parseLimit(text: string, before: Limits = {}): Limits {
  const [, kind, value] = /^(calls|tokens|seconds|usd)=(.+)$/.exec(text) ?? []
  if (kind === undefined || value === undefined) throw new InvalidArgumentError('It must be calls=N, tokens=N, seconds=N or usd=N.')
  return { ...before, [kind]: parseAmount(value) }
}

export function parsePaths(text: string): Paths {
  if (text === 'forward' || text === 'backward' || text === 'both') return text
  const permutations = Number(text)
  if (/^\d+$/.test(text) && permutations >= 1 && permutations <= MOST_PERMUTATIONS) return { permutations }
  throw new InvalidArgumentError(`It must be forward, backward, both or a number of permutations from 1 to ${MOST_PERMUTATIONS}.`)
}

/** What is read, and what is asked of it: the last word is the question. */
export function splitInputs(inputs: readonly string[]): { readonly sources: readonly string[]; readonly question: string } {
  const sources = inputs.slice(0, -1)
  const question = inputs.at(-1) ?? ''
  if (sources.length === 0) {
    throw new UsageError(
      `Cannot ask as only one of file and question is given: ${JSON.stringify(question)}. Use: scriptorium ask FILE "QUESTION"`,
    )
  }
  if (question.trim() === '')
    throw new UsageError(`Cannot ask an empty question: ${JSON.stringify(question)}. Put it last: scriptorium ask FILE "QUESTION"`)
  checkSources(sources)
  return { sources, question }
}

/** @throws UsageError when standard input is named twice */
export function checkSources(sources: readonly string[]): void {
  if (sources.filter((source) => source === '-').length > 1) throw new UsageError('Cannot read standard input twice: give - once')
}

/** Refuses flags that contradict one another or would do nothing. */
export function checkFlags({ strategy, model, keep, paths, json, stream }: AskFlags): void {
  if (paths !== undefined && strategy !== 'chain-of-agents') {
    throw new UsageError(
      `Cannot use --paths with the strategy ${strategy} as only chain-of-agents reads in paths. Add --strategy chain-of-agents`,
    )
  }
  if (keep !== undefined && strategy !== 'homer')
    throw new UsageError(`Cannot use --keep with the strategy ${strategy} as only homer merges what it keeps. Add --strategy homer`)
  if (strategy === 'homer' && model.startsWith('openai:'))
    throw new UsageError(`Cannot merge inside of a remote model: ${model}. Use --model local or FILE.gguf, or --strategy tree`)
  if (json === true && stream === true)
    throw new UsageError('Cannot use --stream with --json as the JSON is the only output. Leave one out')
}
