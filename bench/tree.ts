/**
 * Hierarchical merging of a million tokens by an oracle: every fact of one kind has to be listed or counted, as in RULER's aggregation tasks
 * (arXiv 2404.06654), so that what is missing or doubled is the fault of the merging. Then what the levels cost in time, and a run taken up again.
 */
import { createDocument } from '../chunkers/index.ts'
import { findNeedles, needleLine, oracleModel, type ScriptedCall, type ScriptedModel } from '../testing/index.ts'
import { type Answer, ask, type AskOptions, createMemoryJournal, tree } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { haystack, hideNeedle } from './haystack.ts'
import { commit } from './machine.ts'
import { randomIntegers } from './random.ts'
import { type BenchRecord, hashText } from './record.ts'
import { runItems } from './runner.ts'

const SUITE = 'tree'
const CODE_UNITS_PER_TOKEN = 4
const WINDOW = 8_192
const CHUNK_TOKENS = 4_000
/** Room for all facts of an item in one unit. */
const UNIT_TOKENS = 2_048
const SLOTS = 8
/** Facts that are asked for, and facts of other keys that must stay out. */
const FACTS = 24
const DISTRACTORS = 24
/** Milliseconds of a call in the timed run; which one, its prompt decides. */
const LATENCY = { least: 100, most: 300 }
/** Code units that a leaf writes beside each fact, so that all leaves together do not fit the manager and levels are needed. */
const REMARK = 2_000

export interface TreeScale {
  readonly tokens: number
  readonly items: number
  /** Tokens of the timed run and of the one taken up again. */
  readonly timedTokens: number
}

interface Task {
  readonly id: string
  readonly kind: 'listing' | 'counting'
  readonly group: 'fit' | 2 | 4
  readonly seed: number
}

/** A text with its facts. */
interface Item {
  readonly text: string
  readonly question: string
  readonly values: readonly string[]
}

export const bench: Bench = {
  name: SUITE,
  run: (options) => measureTree(options, { tokens: 1_000_000, items: options.quick ? 6 : 30, timedTokens: 1_000_000 }),
}

export async function measureTree(options: BenchOptions, scale: TreeScale, folder?: string): Promise<BenchResult> {
  const { log, seed, signal } = options
  const gitSha = await commit()
  const settings = { ...scale, facts: FACTS, distractors: DISTRACTORS, window: WINDOW, chunkTokens: CHUNK_TOKENS, slots: SLOTS, seed }
  const records = await runItems<Task, BenchRecord>({
    name: SUITE,
    settings: { ...settings, gitSha: gitSha ?? 'none' },
    items: planTasks(scale.items, seed),
    idOf: ({ id }) => id,
    run: (task) => readItem(task, scale.tokens, signal, gitSha),
    signal,
    onItem: ({ done, total }) => log(`tree: ${done} of ${total}`),
    ...(folder === undefined ? {} : { folder }),
  })
  const timed = await measureWall(scale.timedTokens, seed, signal)
  log(`tree: ${timed.calls} calls took ${timed.ratio.toFixed(2)} times what ${SLOTS} slots that never wait would`)
  const repeated = await repeatedCalls(scale.timedTokens, seed, signal)
  return {
    settings,
    figures: {
      exact: (100 * records.reduce((sum, { score }) => sum + score, 0)) / records.length,
      wallRatio: timed.ratio,
      repeatedCalls: repeated.count,
      resumedAfter: repeated.after,
      calls: timed.calls,
    },
    items: records,
    notes: [
      'An item is exact when the answer holds every number that was asked for and no other, or their count, and a citation stands for each.',
      'wallRatio: time of the run over the sum of its calls divided by the slots; each level waits for the one before.',
      'repeatedCalls: calls of a run that a limit stopped, and of the run that took it up, beyond those of a run in one go.',
    ],
  }
}

function planTasks(items: number, seed: number): Task[] {
  const groups = ['fit', 2, 4] as const
  return Array.from({ length: items }, (_, at): Task => {
    const kind = at % 2 === 0 ? 'listing' : 'counting'
    const group = groups[at % groups.length] ?? 'fit'
    return { id: `${kind}-${group}-${at}`, kind, group, seed: seed + at }
  })
}

async function readItem(task: Task, tokens: number, signal: AbortSignal, gitSha: string | undefined): Promise<BenchRecord> {
  const item = makeItem(task.kind, tokens, task.seed)
  const model = makeModel(task.kind)
  const began = performance.now()
  const answer = await readTree(item, { model, group: task.group, signal })
  return {
    suite: SUITE,
    item: task.id,
    system: `tree-${task.group}`,
    model: model.describe().id,
    L: tokens,
    score: isExact(answer, task.kind, item.values) ? 1 : 0,
    gold: hashText(item.values.toSorted().join(' ')),
    pred: hashText(answer.text),
    calls: answer.usage.calls,
    prefillTok: answer.usage.inputTokens,
    decodeTok: answer.usage.outputTokens,
    ms: Math.round(performance.now() - began),
    seed: task.seed,
    ...(gitSha === undefined ? {} : { gitSha }),
  }
}

interface Reading extends Pick<AskOptions, 'journal' | 'limits'> {
  readonly model: ScriptedModel
  readonly group: Task['group']
  readonly signal: AbortSignal
}

function readTree({ text, question }: Item, { model, group, ...options }: Reading): Promise<Answer> {
  const strategy = tree({ model, group, concurrency: SLOTS, maxUnit: UNIT_TOKENS })
  return ask(createDocument({ name: 'haystack.txt', text, sections: [] }), question, {
    strategy,
    chunkTokens: CHUNK_TOKENS,
    ...options,
  }).result
}

/** Facts of one key at even distances with random shifts, among facts of other keys. */
function makeItem(kind: Task['kind'], tokens: number, seed: number): Item {
  const random = randomIntegers(seed)
  const key = 'silver-harbour'
  const values: string[] = []
  let text = haystack('words', tokens * CODE_UNITS_PER_TOKEN, seed)
  const total = FACTS + DISTRACTORS
  // From the end, so that the places before stay where they are.
  for (let at = total - 1; at >= 0; at--) {
    const place = Math.min(text.length, Math.floor(((at + random(0, 99) / 100) * text.length) / total))
    const asked = at % 2 === 0
    const hidden = hideNeedle(text, { id: String(at), place, seed: random(0, 2 ** 31 - 1), ...(asked ? { key } : {}) })
    if (asked) values.push(hidden.value)
    text = hidden.text
  }
  const what = kind === 'listing' ? 'What are all the' : 'How many are there of the'
  return { text, question: `${what} special magic numbers for ${key} mentioned in the provided text?`, values }
}

/** All numbers, each once, or how many there are; and a citation for each. */
export function isExact({ text, citations }: Pick<Answer, 'text' | 'citations'>, kind: Task['kind'], values: readonly string[]): boolean {
  const cited = new Set(citations.flatMap(({ quote }) => findNeedles(quote).map(({ value }) => value)))
  if (!values.every((value) => cited.has(value))) return false
  if (kind === 'counting') return text.trim() === String(values.length)
  return (text.match(/\d{7}/g) ?? []).toSorted().join(' ') === values.toSorted().join(' ')
}

function makeModel(kind: Task['kind'], latency: (call: ScriptedCall) => number = () => 0): ScriptedModel {
  return oracleModel({
    window: WINDOW,
    maxOutput: UNIT_TOKENS,
    count,
    latency,
    reply: (_, { prompt }) => replyTo(prompt, kind),
    nothing: 'NOTHING NEW',
  })
}

/** Speaks as the agents ask to be spoken to. */
function replyTo(prompt: string, kind: Task['kind']): string {
  const kept = [...prompt.matchAll(/(\d{7}) (\[q\d+\])/g)]
  if (prompt.includes('NOTES: the merged notes')) return `NOTES: ${kept.map(([line]) => line).join('; ')}`
  if (!prompt.includes('NOTHING NEW')) {
    const references = kept.map(([, , reference]) => reference)
    return kind === 'counting'
      ? `${kept.length} ${references.join(' ')}`
      : kept.map(([, value, reference]) => `${value} ${reference}`).join(', ')
  }
  const asked = findNeedles(prompt).filter(({ key }) => prompt.includes(`numbers for ${key} mentioned in the`))
  if (asked.length === 0) return 'NOTHING NEW'
  const lines = asked.map(needleLine)
  const notes = asked.map(({ value }, at) => `${value} [q${at + 1}]: ${haystack('words', REMARK, Number(value))}`)
  return [`NOTES: ${notes.join(' ')}`, ...lines.map((line) => `QUOTE: "${line}"`)].join('\n')
}

function count(text: string): number {
  return Math.ceil(text.length / CODE_UNITS_PER_TOKEN)
}

async function measureWall(tokens: number, seed: number, signal: AbortSignal): Promise<{ ratio: number; calls: number }> {
  const item = makeItem('listing', tokens, seed)
  let busy = 0
  let began = Infinity
  const model = makeModel('listing', ({ prompt }) => {
    began = Math.min(began, performance.now())
    const milliseconds = LATENCY.least + (Number.parseInt(hashText(prompt).slice(0, 6), 16) % (LATENCY.most - LATENCY.least))
    busy += milliseconds
    return milliseconds
  })
  const { usage } = await readTree(item, { model, group: 4, signal })
  return { ratio: (performance.now() - began) / (busy / SLOTS), calls: usage.calls }
}

/** Stops a run half-way by a limit on calls, takes it up, and counts. */
async function repeatedCalls(tokens: number, seed: number, signal: AbortSignal): Promise<{ count: number; after: number }> {
  const item = makeItem('counting', tokens, seed)
  const whole = makeModel('counting')
  await readTree(item, { model: whole, group: 2, signal })
  const journal = createMemoryJournal()
  const first = makeModel('counting')
  await readTree(item, { model: first, group: 2, signal, journal, limits: { calls: Math.floor(whole.calls.length / 2) } })
  const second = makeModel('counting')
  await readTree(item, { model: second, group: 2, signal, journal })
  return { count: first.calls.length + second.calls.length - whole.calls.length, after: first.calls.length }
}
