/**
 * A pass key in a text of up to eight windows, answered by the bundled model: from the text as a whole, from its start, and from what hierarchical
 * merging keeps, by the paper's rule and by this project's; then which step from the one to the other matters.
 */
import { calibratedSignificance, retrievalSignificance } from '../attention/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import {
  direct,
  leavesOnly,
  merged,
  nodeTokens,
  openVariantModel,
  paperOptions,
  spanTokens,
  truncated,
  type Variant,
  type VariantModel,
  type VariantOutcome,
} from './homer-variants.ts'
import { commit } from './machine.ts'
import { passkeyItem, type PasskeyText, passkeyTexts } from './passkey.ts'
import { linePlot } from './plot.ts'
import { type BenchRecord, hashText } from './record.ts'
import { table } from './report.ts'
import { runItems } from './runner.ts'

const SUITE = 'homer-passkey'
const K = 1_024
/** Room for the answer in the longest prompt that is read as a whole. */
const ANSWER_ROOM = 16

const allReadings = ['cache', 'again', 'placed', 'spans'] as const
/** Scores of the question's last token alone, pooled over few neighbours. */
const lastToken = { rows: 1, width: 9 }

const paperMerge = merged(paperOptions, ['cache'])
const best = merged(({ heads }) => ({ significance: retrievalSignificance({ heads }) }), allReadings)

/** The paper's rule, and the steps to this project's, each with all steps before it. */
const LADDER: readonly (readonly [name: string, variant: Variant])[] = [
  ['paper', paperMerge],
  ['late pruning', merged(({ bias }) => ({ significance: calibratedSignificance(bias) }), ['cache', 'again'])],
  ['pooled over neighbours', merged(({ bias }) => ({ significance: calibratedSignificance(bias, { width: 9 }) }), ['cache', 'again'])],
  [
    'retrieving heads',
    merged(({ heads }) => ({ significance: retrievalSignificance({ heads, ...lastToken, carry: false }) }), ['cache', 'again']),
  ],
  ['carried scores', merged(({ heads }) => ({ significance: retrievalSignificance({ heads, ...lastToken }) }), ['cache', 'again'])],
  ["the question's tokens, a sentence wide", best],
  ['suffix of the better half', merged(({ heads }) => ({ significance: retrievalSignificance({ heads }), suffix: 'better' }), allReadings)],
  ['leaves only', leavesOnly],
]

/** The name under which each system's figures stand: `filler16k` is this project's merge, read as spans of text. */
const SYSTEMS: Readonly<Record<string, { readonly variant: Variant; readonly readings: Readonly<Record<string, string>> }>> = {
  best: { variant: best, readings: { spans: '', placed: 'cache' } },
  paper: { variant: paperMerge, readings: { cache: 'paper' } },
  leaves: { variant: leavesOnly, readings: { spans: 'leaves' } },
  direct: { variant: direct, readings: { direct: 'direct' } },
  truncate: { variant: truncated, readings: { truncate: 'truncate' } },
}

export interface PasskeyScale {
  readonly systems: readonly string[]
  /** Lengths in thousands of 1,024 tokens, and items of each. */
  readonly lengths: readonly number[]
  readonly items: number
  /** Items of each text in the table of steps, at 16k; none skips it. */
  readonly ladderItems: number
}

interface Task {
  readonly system: string
  readonly variant: Variant
  readonly text: PasskeyText
  readonly length: number
  readonly index: number
}

export const bench: Bench = {
  name: SUITE,
  run: (options) =>
    measurePasskey(
      options,
      options.quick
        ? { systems: ['best', 'paper', 'truncate'], lengths: [16], items: 2, ladderItems: 0 }
        : { systems: Object.keys(SYSTEMS), lengths: [2, 4, 8, 16, 32, 64], items: 20, ladderItems: 5 },
    ),
}

export async function measurePasskey(options: BenchOptions, scale: PasskeyScale, folder?: string): Promise<BenchResult> {
  const { log, seed, signal } = options
  await using model = await openVariantModel()
  const { config } = model.decoder
  const settings = {
    lengths: scale.lengths.join(' '),
    items: scale.items,
    ladderItems: scale.ladderItems,
    nodeTokens,
    spanTokens,
    heads: model.heads.map(({ layer, head }) => `${layer}.${head}`).join(' '),
    model: config.name,
    weightForm: config.weightForm,
    seed,
  }
  const gitSha = await commit()
  const tasks = planTasks(scale)
  const outcomes = await runItems<Task, VariantOutcome>({
    name: SUITE,
    settings: { ...settings, gitSha: gitSha ?? 'none' },
    items: tasks,
    idOf,
    run: (task) => task.variant(model, itemOf(model, task, scale.items, seed), signal),
    signal,
    onItem: ({ done, total }) => log(`${SUITE}: ${done} of ${total}`),
    ...(folder === undefined ? {} : { folder }),
  })
  const done = tasks.flatMap((task, at) => (outcomes[at] === undefined ? [] : [{ ...task, outcome: outcomes[at] }]))
  const records = done.flatMap((one) => recordsOf(one, { model: config.name, seed, ...(gitSha === undefined ? {} : { gitSha }) }))
  return { settings, figures: figuresOf(done), items: records, plots: await plotsOf(done), notes: notesOf(done) }
}

/** Thousands of tokens that a system is asked to read at most: the window, or what it is worth. */
const longest: Readonly<Record<string, number>> = { direct: 8, leaves: 16 }

function planTasks({ systems, lengths, items, ladderItems }: PasskeyScale): Task[] {
  const tasks: Task[] = []
  for (const text of passkeyTexts) {
    for (const length of lengths) {
      for (const [system, { variant }] of Object.entries(SYSTEMS)) {
        if (!systems.includes(system) || length > (longest[system] ?? Infinity)) continue
        const count = system === 'paper' && length > 16 ? Math.ceil(items / 4) : items
        for (const index of spread(count, items)) tasks.push({ system, variant, text, length, index })
      }
    }
    for (const [name, variant] of LADDER)
      for (const index of spread(ladderItems, items)) tasks.push({ system: `step: ${name}`, variant, text, length: 16, index })
  }
  return tasks
}

/** Some of the items, from all depths. */
function spread(count: number, items: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * items) / count))
}

function idOf({ system, text, length, index }: Task): string {
  return `${system}-${text}-${length}k-${index}`
}

/** Depths from the start to the end; each length and text has keys and passages of its own. */
function itemOf({ decoder }: VariantModel, { text, length, index }: Task, items: number, seed: number): ReturnType<typeof passkeyItem> {
  const own = Number.parseInt(hashText(`${seed} ${text} ${length} ${index}`).slice(0, 7), 16)
  return passkeyItem(decoder.tokenizer, { text, tokens: length * K - ANSWER_ROOM, depth: (index + 0.5) / items, seed: own })
}

interface Done extends Task {
  readonly outcome: VariantOutcome
}

function recordsOf({ outcome, ...task }: Done, common: Pick<BenchRecord, 'model' | 'seed' | 'gitSha'>): BenchRecord[] {
  const records: BenchRecord[] = []
  for (const [reading, right] of Object.entries(outcome.answered)) {
    records.push({
      suite: SUITE,
      item: `${task.text}-${task.length}k-${task.index}`,
      system: `${task.system}, ${reading}, ${task.text}`,
      L: task.length * K,
      score: Number(right),
      gold: hashText('right'),
      pred: hashText(right ? 'right' : 'wrong'),
      calls: 1,
      prefillTok: task.length * K,
      decodeTok: 0,
      ms: outcome.ms,
      ...common,
    })
  }
  return records
}

function figuresOf(done: readonly Done[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [system, { readings }] of Object.entries(SYSTEMS)) {
    for (const text of passkeyTexts) {
      for (const length of new Set(done.map((one) => one.length))) {
        const own = done.filter((one) => one.system === system && one.text === text && one.length === length)
        if (own.length === 0) continue
        for (const [reading, prefix] of Object.entries(readings))
          figures[nameOf(prefix, text, length)] = percent(own.map(({ outcome }) => outcome.answered[reading] === true))
        const survived = own.flatMap(({ outcome }) => (outcome.survived === undefined ? [] : [outcome.survived]))
        if (survived.length > 0) figures[nameOf(system === 'best' ? 'kept' : `${system}Kept`, text, length)] = percent(survived)
      }
    }
  }
  return figures
}

function nameOf(prefix: string, text: PasskeyText, length: number): string {
  const name = prefix === '' ? text : `${prefix}${(text[0] ?? '').toUpperCase()}${text.slice(1)}`
  return `${name}${length}k`
}

function percent(right: readonly boolean[]): number {
  return (100 * right.filter(Boolean).length) / Math.max(1, right.length)
}

async function plotsOf(done: readonly Done[]): Promise<Record<string, string>> {
  const plots: Record<string, string> = {}
  for (const text of passkeyTexts) {
    const points = Object.entries(SYSTEMS).flatMap(([system, { readings }]) =>
      [...new Set(done.map(({ length }) => length))].flatMap((length) => {
        const own = done.filter((one) => one.system === system && one.text === text && one.length === length)
        if (own.length === 0) return []
        return Object.keys(readings).map((reading) => ({
          x: length,
          y: percent(own.map(({ outcome }) => outcome.answered[reading] === true)),
          series: system === 'best' ? `merged, ${reading}` : system,
        }))
      }),
    )
    plots[text] = await linePlot({ title: `Pass key in ${text}`, x: 'thousand tokens', y: '% answered', points })
  }
  return plots
}

function notesOf(done: readonly Done[]): string[] {
  const notes = [
    `Figures are percent of items answered with the key. filler16k, prose16k and so on: merged in nodes of ${nodeTokens} tokens, and the spans that survived, at most ${spanTokens} tokens of them, read as a prompt. cache...: the question read again over the merged cache. paper...: the paper's rule and decoding. leaves...: no merges. kept...: a mention of the key survived whole.`,
    'paper... beyond 16k has a quarter of the items, leaves... stops at 16k. truncate reads the start of the text that fits the window; where the key is cut off no model is asked. direct reads the whole, where it fits.',
  ]
  const steps = done.filter(({ system }) => system.startsWith('step: '))
  if (steps.length === 0) return notes
  const rows = LADDER.flatMap(([name]) =>
    passkeyTexts.map((text) => {
      const own = steps.filter((one) => one.system === `step: ${name}` && one.text === text).map(({ outcome }) => outcome)
      const cell = (reading: string): string => {
        const asked = own.filter(({ answered }) => reading in answered)
        return asked.length === 0 ? '' : percent(asked.map(({ answered }) => answered[reading] === true)).toFixed(0)
      }
      const survived = percent(own.map(({ survived: whole }) => whole === true)).toFixed(0)
      return [name, text, String(own.length), survived, cell('cache'), cell('again'), cell('placed'), cell('spans')]
    }),
  )
  const head = ['step', 'text', 'items', 'key survived', "paper's decoding", 'question read again', 'and renumbered', 'spans as text']
  return [...notes, `Steps from the paper's rule at 16k, each with those before it, in percent:\n\n${table(head, rows)}`]
}
