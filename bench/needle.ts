/** A needle in a million tokens, read by a chain of agents whose worker is an oracle: what is lost is the orchestration's fault. */
import { createDocument, sentencePacked } from '../chunkers/index.ts'
import type { Clock } from '../models/index.ts'
import { faultyOracleModel, type Needle, needleLine, oracleModel, type ScriptedCall, type ScriptedModel } from '../testing/index.ts'
import { type Answer, ask, chainOfAgents } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { haystack, type HaystackKind, hideNeedle, type NeedleItem, needlePlaces } from './haystack.ts'
import { commit } from './machine.ts'
import { type BenchRecord, hashText } from './record.ts'
import { runItems } from './runner.ts'

const SUITE = 'needle'
/** The oracle counts a quarter of the code units: a million tokens are four million of them. */
const CODE_UNITS_PER_TOKEN = 4
const WINDOW = 8_192
/** Chunks of this length leave room for the notes, the instruction and the reply. */
const CHUNK_TOKENS = 5_000
/** 5 % of the calls fail: without a word, with status 500, or in time. */
const FAULTS = [
  { kind: 'empty', rate: 0.02 },
  { kind: 'server-error', rate: 0.015 },
  { kind: 'timeout', rate: 0.015 },
] as const

export interface NeedleScale {
  /** Length of a haystack. */
  readonly tokens: number
  readonly items: number
}

interface Task {
  readonly id: string
  readonly kind: HaystackKind
  readonly place: number
  readonly system: 'oracle' | 'faulty'
  readonly seed: number
}

/** What reading one haystack came to. */
export interface NeedleOutcome {
  readonly found: boolean
  readonly retries: number
  readonly record: BenchRecord
}

export const bench: Bench = {
  name: SUITE,
  run: (options) => measureNeedle(options, { tokens: 1_000_000, items: options.quick ? 20 : 100 }),
}

/** Runs both workers over the same haystacks. */
export async function measureNeedle(options: BenchOptions, scale: NeedleScale, folder?: string): Promise<BenchResult> {
  const { log, seed, signal } = options
  const gitSha = await commit()
  const settings = { tokens: scale.tokens, items: scale.items, window: WINDOW, chunkTokens: CHUNK_TOKENS, seed, faultRate: 0.05 }
  const hay = {
    noise: haystack('noise', scale.tokens * CODE_UNITS_PER_TOKEN, seed),
    words: haystack('words', scale.tokens * CODE_UNITS_PER_TOKEN, seed),
  }
  const tasks = planTasks(hay, scale.items, seed)
  const outcomes = await runItems<Task, NeedleOutcome>({
    name: SUITE,
    settings: { ...settings, gitSha: gitSha ?? 'none' },
    items: tasks,
    idOf: ({ id }) => id,
    run: (task) =>
      readHaystack(hideNeedle(hay[task.kind], task), task, { tokens: scale.tokens, signal, ...(gitSha === undefined ? {} : { gitSha }) }),
    signal,
    onItem: ({ done, total }) => done % 10 === 0 && log(`needle: ${done} of ${total}`),
    ...(folder === undefined ? {} : { folder }),
  })
  const of = (system: string): NeedleOutcome[] => outcomes.filter(({ record }) => record.system === system)
  const share = (system: string): number => (100 * of(system).filter(({ found }) => found).length) / scale.items
  const sum = (list: NeedleOutcome[], value: (outcome: NeedleOutcome) => number): number =>
    list.reduce((total, one) => total + value(one), 0)
  return {
    settings,
    figures: {
      found: share('oracle'),
      faultyFound: share('faulty'),
      retries: sum(of('faulty'), ({ retries }) => retries),
      calls: sum(of('oracle'), ({ record }) => record.calls),
      faultyCalls: sum(of('faulty'), ({ record }) => record.calls),
    },
    items: outcomes.map(({ record }) => record),
    notes: [
      'A needle counts as found when its number stands in the answer and a citation covers the needle in the document. Every other needle lies across a border between two chunks.',
    ],
  }
}

function planTasks(hay: Readonly<Record<HaystackKind, string>>, items: number, seed: number): Task[] {
  const kinds = Object.keys(hay) as HaystackKind[]
  return kinds.flatMap((kind, half) => {
    const number = half === 0 ? Math.ceil(items / 2) : Math.floor(items / 2)
    return needlePlaces(number, hay[kind].length, bordersOf(hay[kind])).flatMap((place, at) =>
      (['oracle', 'faulty'] as const).map((system): Task => ({
        id: `${kind}-${at}-${system}`,
        kind,
        place,
        system,
        seed: seed + 2 * at + half,
      })),
    )
  })
}

/** Where the chunks of a haystack end, cut as the runs cut it. */
function bordersOf(text: string): number[] {
  const chunks = sentencePacked().chunk(createDocument({ name: 'haystack', text }), { maxTokens: CHUNK_TOKENS, count })
  return [...chunks].slice(1).map(({ start }) => start)
}

async function readHaystack(
  item: NeedleItem,
  task: Task,
  { tokens, signal, gitSha }: { tokens: number; signal: AbortSignal; gitSha?: string },
): Promise<NeedleOutcome> {
  const model = makeModel(task)
  const began = performance.now()
  const answer = await ask(createDocument({ name: `${item.id}.txt`, text: item.text, sections: [] }), item.question, {
    strategy: chainOfAgents({ model }),
    chunkTokens: CHUNK_TOKENS,
    call: { clock: instantClock, random: () => 0 },
    // Equal chunks of the noise haystack would be read once and reused.
    fresh: true,
    signal,
  }).result
  const found = isFound(answer, item)
  return {
    found,
    retries: answer.usage.retries,
    record: {
      suite: SUITE,
      item: item.id,
      system: task.system,
      model: model.describe().id,
      L: tokens,
      score: found ? 1 : 0,
      gold: hashText(item.value),
      pred: hashText(answer.text),
      calls: answer.usage.calls,
      prefillTok: answer.usage.inputTokens,
      decodeTok: answer.usage.outputTokens,
      ms: Math.round(performance.now() - began),
      seed: task.seed,
      ...(gitSha === undefined ? {} : { gitSha }),
    },
  }
}

/** The number is in the answer, and a citation covers the needle where it stands. */
export function isFound({ text, citations }: Pick<Answer, 'text' | 'citations'>, { value, start, end }: NeedleItem): boolean {
  return text.includes(value) && citations.some((citation) => citation.start <= start && end <= citation.end)
}

function makeModel({ system, seed }: Pick<Task, 'system' | 'seed'>): ScriptedModel {
  const common = { window: WINDOW, count, reply, nothing: NOTHING, seed }
  return system === 'oracle' ? oracleModel(common) : faultyOracleModel({ ...common, faults: FAULTS })
}

const NOTHING = 'NOTHING NEW'

/** Speaks as the agents ask to be spoken to: notes with a quotation from a worker, plain words from the manager. */
function reply(needles: readonly Needle[], { prompt }: ScriptedCall): string {
  const worker = prompt.includes('NOTES:')
  const [chunk = ''] = prompt.split('Notes and quotations from the earlier parts:')
  const fresh = needles.map(needleLine).filter((line) => !worker || chunk.includes(line))
  if (fresh.length === 0) return worker ? NOTHING : 'NOT FOUND'
  return worker ? `NOTES: ${fresh.join(' ')}\n${fresh.map((line) => `QUOTE: "${line}"`).join('\n')}` : fresh.join(' ')
}

function count(text: string): number {
  return Math.ceil(text.length / CODE_UNITS_PER_TOKEN)
}

/** Retries wait for nothing here: what is measured is whether they are made. */
const instantClock: Clock = { now: Date.now, sleep: async (_milliseconds, options) => options?.signal?.throwIfAborted() }
