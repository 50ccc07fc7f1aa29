import type { Command } from 'commander'
import { loadOptional, ModelFileError } from '../errors/index.ts'
import { profileModel } from '../models/index.ts'
import { modelForms } from './model-option.ts'
import { coloursFor, type Terminal } from './terminal.ts'
import type { CommonFlags } from './options.ts'

interface ModelsFlags extends CommonFlags {
  readonly json?: boolean
  readonly verify?: boolean
}

interface ModelReport {
  readonly name: string
  readonly source: string
  readonly licence: string
  readonly bytes: number
  /** What is wrong with its files; absent when nothing is. */
  readonly problem?: string
  /** Whether the files' hashes were compared, beside their sizes. */
  readonly verified: boolean
}

/** Adds `models` to the program. */
export function addModelsCommand(program: Command, terminal: Terminal): void {
  const models = program
    .command('models')
    .summary('list the bundled models and how to name others')
    .description('List the bundled models, check their files, and show how other models are named.')
    .option('--verify', 'compare the hash of every file, not its size alone')
    .option('--json', 'print JSON')
    .action(async (_: object, command: Command) => listModels(command.optsWithGlobals<ModelsFlags>(), terminal))
  models
    .command('profile')
    .summary('find the heads of a model that retrieve')
    .description(
      'Find out which heads of a local model retrieve, and keep them beside it: its quotations are then also chosen by where it looks.',
    )
    .argument('<file>', 'a GGUF file')
    .option('--out <file>', 'where the profile goes (default: beside the model, as NAME.heads.json)')
    .action(async (file: string, { out }: { readonly out?: string }) => {
      const written = await profileModel(file, {
        ...(out === undefined ? {} : { out }),
        onProgress: (share) => terminal.stderr.write(`Profiling: ${Math.round(100 * share)} %\n`),
      })
      terminal.stdout.write(`${written}\n`)
    })
}

async function listModels(flags: ModelsFlags, terminal: Terminal): Promise<void> {
  const reports = await checkBundled(flags.verify === true)
  if (flags.json === true) terminal.stdout.write(`${JSON.stringify(reports)}\n`)
  else {
    const { dim, red } = coloursFor(terminal.stdout, terminal, flags.color)
    const lines = reports.map(({ name, source, licence, bytes, problem, verified }) => {
      const state = problem === undefined ? `${verified ? 'hashes' : 'sizes'} are right` : red('damaged')
      return `${name.padEnd(24)}${(bytes / 1e6).toFixed(0).padStart(4)} MB  ${state}  ${dim(`${source}, ${licence}`)}\n`
    })
    const forms = modelForms.map(([form, meaning]) => `  --model ${form.padEnd(18)}${dim(meaning)}\n`)
    terminal.stdout.write(`Bundled:\n  ${lines.join('  ')}\nHow to name a model:\n${forms.join('')}`)
  }
  const damaged = reports.find(({ problem }) => problem !== undefined)
  if (damaged) throw new ModelFileError(damaged.problem ?? '', { file: damaged.name })
}

async function checkBundled(verify: boolean): Promise<ModelReport[]> {
  const weights = await loadOptional('scriptorium-weights', 'list the bundled models', () => import('scriptorium-weights'))
  const reports: ModelReport[] = []
  for (const [name, { source, licence, files }] of Object.entries(weights.models)) {
    const bytes = Object.values(files).reduce((sum, { size }) => sum + size, 0)
    const problem = await problemOf(async () => {
      for (const file of Object.keys(files)) await weights.modelFile(name, file)
      if (verify) await weights.verifyModel(name)
    })
    reports.push({ name, source, licence, bytes, verified: verify, ...(problem === undefined ? {} : { problem }) })
  }
  return reports
}

async function problemOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
