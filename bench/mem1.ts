/**
 * MEM1 (arXiv 2506.15841): several questions of HotpotQA at once, answered by a scripted oracle that knows only what its prompt holds. What differs between the
 * policies is what they show it: its last turn, all turns, or the newest that fit.
 */
import { createMemoryStore, type MemoryRecord } from '../memory/index.ts'
import { openAICounter } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { readData } from './data.ts'
import { commit } from './machine.ts'
import { type HopItem, hopOracle } from './mem1-oracle.ts'
import { policies, type Policy, runPolicy, segmentsOf } from './mem1-policies.ts'
import { dependencyLength, peakTokens, scoreAnswers } from './mem1-score.ts'
import { linePlot, type PlotPoint } from './plot.ts'
import { type BenchRecord, hashText } from './record.ts'
import { runItems } from './runner.ts'

const SUITE = 'mem1'
const FILE = 'hotpotqa-100.jsonl.gz'
const K = 3
/** Large enough for all turns of 64 questions. */
const WINDOW = 1_000_000
const FAULTS = [0, 0.05] as const

export interface Mem1Scale {
  /** Questions that are asked at once. */
  readonly sizes: readonly number[]
  /** Most groups of each size. */
  readonly groups: number
}

interface Paragraph {
  readonly title: string
  readonly text: string
}

interface HotpotRow extends HopItem {
  readonly paragraphs: readonly Paragraph[]
}

interface Task {
  readonly id: string
  readonly policy: Policy
  readonly size: number
  readonly group: number
  readonly faults: number
}

/** One group of questions under one policy. */
interface Outcome {
  readonly task: Task
  readonly em: number
  readonly f1: number
  readonly matched: boolean
  readonly peak: number
  readonly dependency: number
  /** Calls whose prompt was longer than its cap. */
  readonly overCap: number
  readonly record: BenchRecord
}

export const bench: Bench = {
  name: SUITE,
  run: (options) => measureMem1(options, options.quick ? { sizes: [2, 8, 16], groups: 8 } : { sizes: [2, 8, 16, 64], groups: 50 }),
}

export async function measureMem1(options: BenchOptions, { sizes, groups }: Mem1Scale, folder?: string): Promise<BenchResult> {
  const { data, log, seed, signal } = options
  const { rows, sha256 } = await readData(data, FILE, parseRow)
  const count = memoised(await openAICounter())
  const search = await openSearch(rows)
  const gitSha = await commit()
  const settings = { sizes: sizes.join(' '), groups, k: K, faults: FAULTS.join(' '), seed, dataSha: sha256 }
  const common: Common = { rows, search, count, seed, signal, dataSha: sha256, gitSha }
  const outcomes = await runItems<Task, Outcome>({
    name: SUITE,
    settings: { ...settings, gitSha: gitSha ?? 'none' },
    items: planTasks(rows.length, sizes, groups),
    idOf: ({ id }) => id,
    run: (task) => runTask(task, common),
    signal,
    onItem: ({ done, total }) => {
      if (done % 20 === 0 || done === total) log(`mem1: ${done} of ${total}`)
    },
    ...(folder === undefined ? {} : { folder }),
  })
  return {
    settings,
    figures: figuresOf(outcomes, sizes),
    items: outcomes.map(({ record }) => record),
    plots: await plotsOf(outcomes, sizes),
    notes: notesOf(outcomes, sizes),
  }
}

/** In the order of the data, the remainder left out, as in the paper. */
function planTasks(rows: number, sizes: readonly number[], groups: number): Task[] {
  return FAULTS.flatMap((faults) =>
    sizes.flatMap((size) =>
      Array.from({ length: Math.min(groups, Math.floor(rows / size)) }, (_, group) => group).flatMap((group) =>
        policies.map((policy) => ({ id: `${policy}-${size}-${group}-${faults}`, policy, size, group, faults })),
      ),
    ),
  )
}

interface Common {
  readonly rows: readonly HotpotRow[]
  readonly search: (query: string) => Promise<string>
  readonly count: (text: string) => number
  readonly seed: number
  readonly signal: AbortSignal
  readonly dataSha: string
  readonly gitSha: string | undefined
}

async function runTask(task: Task, { rows, search, count, seed, signal, dataSha, gitSha }: Common): Promise<Outcome> {
  const { policy, size, group, faults } = task
  const items = rows.slice(group * size, (group + 1) * size)
  const isMem1 = policy === 'mem1' || policy === 'mem1-archive'
  const model = hopOracle({
    items,
    cumulative: isMem1,
    recalls: policy === 'mem1-archive',
    faults,
    seed: seed + group,
    count,
    window: WINDOW,
  })
  const began = performance.now()
  const { answers, cap } = await runPolicy(policy, { model, questions: items.map(({ question }) => question), search, count, signal })
  const segments = segmentsOf(model)
  const { em, f1, matched } = scoreAnswers(
    answers,
    items.map(({ answer }) => [answer]),
  )
  return {
    task,
    em,
    f1,
    matched,
    peak: peakTokens(segments, count),
    dependency: dependencyLength(segments, count),
    overCap: policy === 'full' ? 0 : model.calls.filter(({ promptTokens }) => promptTokens > cap).length,
    record: {
      suite: SUITE,
      item: task.id,
      system: faults === 0 ? policy : `${policy}, faulty`,
      model: model.describe().id,
      tokenizer: 'o200k_base',
      L: size,
      score: em / size,
      gold: hashText(items.map(({ answer }) => answer).join('; ')),
      pred: hashText(answers.join('; ')),
      calls: model.calls.length,
      prefillTok: model.calls.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
      decodeTok: segments.reduce((sum, { reply }) => sum + count(reply), 0),
      ms: Math.round(performance.now() - began),
      seed,
      dataSha,
      ...(gitSha === undefined ? {} : { gitSha }),
    },
  }
}

/** Names of the figures: `em16` is MEM1's; other policies stand before, and `Faulty` behind the policy. */
function figuresOf(outcomes: readonly Outcome[], sizes: readonly number[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const policy of policies) {
    for (const faults of FAULTS) {
      const prefix = [policy === 'mem1' ? '' : policy.replace('mem1-', ''), faults === 0 ? '' : 'faulty'].filter(Boolean).join('-')
      for (const size of sizes) {
        const own = outcomes.filter(({ task }) => task.policy === policy && task.size === size && task.faults === faults)
        const matched = own.filter((outcome) => outcome.matched)
        const values = { em: mean(own, 'em'), f1of: mean(own, 'f1'), peak: mean(matched, 'peak'), dependency: mean(own, 'dependency') }
        for (const [name, value] of Object.entries(values)) figures[camelCase(`${prefix}-${name}`) + size] = value
      }
    }
  }
  const ratio = (name: string): number => (figures[`${name}16`] ?? Number.NaN) / (figures[`${name}2`] ?? Number.NaN)
  const ratios = sizes.includes(16) && sizes.includes(2) ? { peakRatio16to2: ratio('peak'), fullPeakRatio16to2: ratio('fullPeak') } : {}
  return { ...ratios, overCap: outcomes.reduce((sum, { overCap }) => sum + overCap, 0), ...figures }
}

function mean(outcomes: readonly Outcome[], name: 'em' | 'f1' | 'peak' | 'dependency'): number {
  return outcomes.length === 0 ? 0 : outcomes.reduce((sum, outcome) => sum + outcome[name], 0) / outcomes.length
}

function camelCase(name: string): string {
  return name.replace(/^-/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

async function plotsOf(outcomes: readonly Outcome[], sizes: readonly number[]): Promise<Record<string, string>> {
  const clean = outcomes.filter(({ task }) => task.faults === 0)
  const points = (from: readonly Outcome[], value: (own: readonly Outcome[], size: number) => number): PlotPoint[] =>
    policies.flatMap((policy) =>
      sizes.map((size) => ({
        x: size,
        y: value(
          from.filter(({ task }) => task.policy === policy && task.size === size),
          size,
        ),
        series: policy,
      })),
    )
  const faulty = outcomes.filter(({ task }) => task.faults > 0)
  return {
    peak: await linePlot({
      title: 'Peak of tokens',
      x: 'questions at once',
      y: 'tokens',
      points: points(clean, (own) => mean(own, 'peak')),
    }),
    em: await linePlot({
      title: 'Exact answers, 5 % of calls faulty',
      x: 'questions at once',
      y: 'share of questions',
      points: points(faulty, (own, size) => mean(own, 'em') / size),
    }),
  }
}

function notesOf(outcomes: readonly Outcome[], sizes: readonly number[]): string[] {
  const row = (policy: Policy, size: number, faults: number): string => {
    const own = outcomes.filter(({ task }) => task.policy === policy && task.size === size && task.faults === faults)
    const peak = mean(
      own.filter(({ matched }) => matched),
      'peak',
    )
    const cells = [policy, size, `${faults * 100} %`, own.length, mean(own, 'em').toFixed(2), mean(own, 'f1').toFixed(2), peak.toFixed(0)]
    return `| ${[...cells, (mean(own, 'dependency') / 1_000).toFixed(0)].join(' | ')} |`
  }
  return [
    'Questions are composed, answers scored and tokens counted as in MEM1 (arXiv 2506.15841): EM and F1 are sums over the questions asked at once; the peak is the most tokens of a turn behind the task (last turn, what came back, new turn), over groups with a match; dependency is the sum over what was written of (tokens before it + half its own) times its own, in thousands. The released scorer counts states twice; here they count once.',
    'The oracle knows only what its prompt holds: a question counts as answered once all sentences that its answer rests on were in sight, or a state says so. A question is given up after three look-ups. `full` shows all turns, `truncate` the newest that fit the cap of MEM1. A faulty call leaves out its tags, forgets all but the last line of its state, or makes an answer up.',
    ['| policy | questions | faulty | groups | EM | F1 | peak | dependency |', '|---|---|---|---|---|---|---|---|']
      .concat(FAULTS.flatMap((faults) => sizes.flatMap((size) => policies.map((policy) => row(policy, size, faults)))))
      .join('\n'),
  ]
}

/** BM25 over the paragraphs of all questions. */
async function openSearch(rows: readonly HotpotRow[]): Promise<(query: string) => Promise<string>> {
  const memory = createMemoryStore()
  const paragraphs = [...new Map(rows.flatMap((row) => row.paragraphs).map((paragraph) => [paragraph.title, paragraph])).values()]
  await memory.put(
    paragraphs.map(({ title, text }, index): MemoryRecord => ({
      id: String(index),
      scope: SUITE,
      documentId: 'paragraphs',
      start: 0,
      end: text.length,
      index,
      text,
      context: title,
    })),
  )
  return async (query) => {
    const hits = await memory.search({ scope: SUITE, text: query, k: K, fusion: 'words' })
    return hits.map(({ record }, at) => `Document ${at + 1} (Title: ${record.context}): ${record.text}`).join('\n')
  }
}

/** A group's turns repeat most of their texts. */
function memoised(count: (text: string) => number): (text: string) => number {
  const known = new Map<string, number>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size > 20_000) known.clear()
    const tokens = count(text)
    known.set(text, tokens)
    return tokens
  }
}

function parseRow(row: unknown): HotpotRow {
  const {
    question,
    answer,
    context,
    supporting_facts: facts,
  } = row as {
    question: string
    answer: string
    context: [string, string[]][]
    supporting_facts: [string, number][]
  }
  const support = [...new Set(facts.map(([title]) => title))].map((title) => {
    const sentences = context.find(([name]) => name === title)?.[1] ?? []
    const own = facts.filter(([name]) => name === title)
    return { title, sentences: own.flatMap(([, at]) => sentences[at] ?? []) }
  })
  return {
    // Composed questions end with one question mark; answers are parted by semicolons.
    question: question.trim().replace(/[?\s]+$/, ''),
    answer: answer.replaceAll(';', ','),
    support,
    paragraphs: context.map(([title, sentences]) => ({ title, text: sentences.join('').trim() })),
  }
}
