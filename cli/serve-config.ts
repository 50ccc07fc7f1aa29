/** What `serve` runs with: flags before environment before file before defaults. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import { type CommonFlags, logLevels, parseAmount, parseCount, parseText } from './options.ts'
import { UsageError } from './usage-error.ts'

/** The settings; all can be given as a flag, in the environment and in a file. */
export interface ServeConfig {
  readonly host: string
  readonly port: number
  /** A model's name as `ask` takes it, or `none`. */
  readonly model: string
  readonly window: number | undefined
  readonly maxOutput: number | undefined
  /** Shortens long turns with the model. */
  readonly summaries: boolean
  /** Finds by words and vectors, or by words alone. */
  readonly vectors: boolean
  /** Requests of one key a second. */
  readonly rate: number
  /** Origins of pages that may call the service, separated by commas. */
  readonly cors: string
  readonly logLevel: string
}

export interface ServeFlags extends CommonFlags, Partial<ServeConfig> {
  readonly config?: string
}

interface Setting<Value> {
  readonly flag: string
  readonly help: string
  readonly parse: (text: string) => Value
  readonly fallback: Value
}

type Settings = { readonly [Name in keyof ServeConfig]: Setting<ServeConfig[Name]> }

export const SETTINGS: Settings = {
  host: {
    flag: '--host <address>',
    help: 'address to listen on; others than loopback need a key',
    parse: parseText,
    fallback: '127.0.0.1',
  },
  port: { flag: '--port <port>', help: 'port to listen on; 0 takes a free one', parse: parsePort, fallback: 8377 },
  model: { flag: '--model <model>', help: 'model that answers, or none', parse: parseText, fallback: 'local' },
  window: { flag: '--window <tokens>', help: 'window of a remote model', parse: parseCount, fallback: undefined },
  maxOutput: { flag: '--max-output <tokens>', help: 'longest reply of a remote model', parse: parseCount, fallback: undefined },
  summaries: { flag: '--summaries <yes|no>', help: 'shorten long turns with the model', parse: parseYesNo, fallback: false },
  vectors: { flag: '--vectors <yes|no>', help: 'find by meaning too, with the bundled embedder', parse: parseYesNo, fallback: true },
  rate: { flag: '--rate <requests>', help: 'requests of one key a second', parse: parseAmount, fallback: 200 },
  cors: { flag: '--cors <origins>', help: 'origins of pages that may call, separated by commas', parse: (text) => text, fallback: '' },
  logLevel: { flag: '--log-level <level>', help: logLevels.join(', '), parse: parseLevel, fallback: 'info' },
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a port from 0 to 65535.')
}

function parseYesNo(text: string): boolean {
  if (text === 'yes' || text === 'true') return true
  if (text === 'no' || text === 'false') return false
  throw new InvalidArgumentError('It must be yes or no.')
}

function parseLevel(text: string): string {
  if (logLevels.some((level) => level === text)) return text
  throw new InvalidArgumentError(`It must be one of ${logLevels.join(', ')}.`)
}

export interface EffectiveConfig {
  readonly config: ServeConfig
  /** Where each setting came from: `--flag`, `$VARIABLE`, `file` or `default`. */
  readonly sources: Readonly<Record<keyof ServeConfig, string>>
}

const NAMES = Object.keys(SETTINGS) as (keyof ServeConfig)[]

/** @throws UsageError for a file that cannot be read, a setting that is unknown, or a value that does not fit */
export async function effectiveConfig(flags: ServeFlags, env: Readonly<Record<string, string | undefined>>): Promise<EffectiveConfig> {
  const path = flags.config ?? env['SCRIPTORIUM_CONFIG']
  const file = path === undefined ? {} : await readConfig(path)
  const found = NAMES.map((name) => ({ name, ...settingOf(name, flags, env, file) }))
  return {
    config: Object.fromEntries(found.map(({ name, value }) => [name, value])) as unknown as ServeConfig,
    sources: Object.fromEntries(found.map(({ name, source }) => [name, source])) as EffectiveConfig['sources'],
  }
}

function settingOf(
  name: keyof ServeConfig,
  flags: ServeFlags,
  env: Readonly<Record<string, string | undefined>>,
  file: Readonly<Record<string, unknown>>,
): { readonly value: unknown; readonly source: string } {
  const variable = `SCRIPTORIUM_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`
  const { fallback, flag } = SETTINGS[name]
  const parse: (text: string) => unknown = SETTINGS[name].parse
  if (flags[name] !== undefined) return { value: flags[name], source: flag.split(' ')[0] ?? flag }
  if (env[variable] !== undefined) return { value: parsed(parse, env[variable], `$${variable}`), source: `$${variable}` }
  if (file[name] !== undefined) return { value: parsed(parse, textOf(file[name]), `${name} of the file`), source: 'file' }
  return { value: fallback, source: 'default' }
}

function parsed<Value>(parse: (text: string) => Value, text: string, where: string): Value {
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof InvalidArgumentError)) throw cause
    throw new UsageError(`Cannot use ${where} as it is ${JSON.stringify(text)}. ${cause.message}`, { cause })
  }
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const json = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`Cannot read the settings as ${cause.message}`, { cause })
  })
  const value = parseObject(json, path)
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(SETTINGS, name))
  if (unknown.length > 0)
    throw new UsageError(`Cannot use the settings of ${path} as there are none named ${unknown.join(', ')}. There are ${NAMES.join(', ')}`)
  return value
}

function parseObject(json: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // told below
  }
  throw new UsageError(`Cannot use the settings as they are no JSON object: ${path}`)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The settings for people, one a line. What may stand in an address for a name and password is left out. */
export function describeConfig({ config, sources }: EffectiveConfig): string {
  const width = Math.max(...NAMES.map((name) => name.length))
  const shown = (value: unknown): string => (value === undefined || value === '' ? '-' : textOf(value).replace(/\/\/[^/@\s]*@/g, '//***@'))
  return NAMES.map((name) => `  ${name.padEnd(width)}  ${shown(config[name])} (${sources[name]})\n`).join('')
}
