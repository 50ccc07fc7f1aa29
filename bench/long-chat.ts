/**
 * A chat of 100,000 turns with planted facts: whether they come back within the budget, how fast, and what each part of SCM is worth. The
 * model that answers is an oracle over its prompt, so that a wrong answer is the memory's fault.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { turnJudge } from '../agents/index.ts'
import { type MemoryStore, openMemory } from '../memory/index.ts'
import { approximateCount } from '../models/index.ts'
import { scriptedEmbedder } from '../testing/index.ts'
import {
  type ControllerOptions,
  type MemoryController,
  naiveMemory,
  openConversation,
  scmController,
  type Selection,
  slidingWindow,
  summaryBuffer,
  truncateHistory,
} from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { type ChatTurn, generateLongChats, type LongChat, type Probe } from './long-chat-generator.ts'
import { answerFrom, chatOracle, judgeOracle, UNKNOWN } from './long-chat-oracle.ts'
import { commit } from './machine.ts'
import { barPlot, linePlot } from './plot.ts'
import { type BenchRecord, hashText } from './record.ts'
import { quantile } from './statistics.ts'

const SUITE = 'long-chat'
const BUDGET = 500
const DIMENSIONS = 256
const BATCH = 1_000
const THREAD = 'chat'
/** Messages that go through a whole conversation. */
const SENT = 40

export interface LongChatScale {
  readonly turns: number
  readonly probes: number
}

export const bench: Bench = {
  name: SUITE,
  run: (options) => measureLongChat(options, options.quick ? { turns: 5_000, probes: 12 } : { turns: 100_000, probes: 40 }),
}

type SystemName =
  | 'scm'
  | 'judged'
  | 'withoutController'
  | 'withoutFlash'
  | 'withoutActivation'
  | 'naive'
  | 'slidingWindow'
  | 'truncate'
  | 'summaryBuffer'

/** SCM as it is, with an oracle that judges, without each of its parts, and the baselines. */
function systems(options: ControllerOptions): Readonly<Record<SystemName, MemoryController>> {
  return {
    scm: scmController(options),
    judged: scmController({ ...options, judge: turnJudge(judgeOracle()) }),
    withoutController: scmController({ ...options, without: ['controller'] }),
    withoutFlash: scmController({ ...options, without: ['flash'] }),
    withoutActivation: scmController({ ...options, without: ['activation'] }),
    naive: naiveMemory(options),
    slidingWindow: slidingWindow(options),
    truncate: truncateHistory(options),
    summaryBuffer: summaryBuffer(options),
  }
}

interface Asked {
  readonly system: SystemName
  readonly probe: Probe
  readonly right: boolean
  readonly stale: boolean
  readonly leaked: boolean
  readonly overBudget: boolean
  /** Whether all evidence came back, whole or shortened. */
  readonly recalled: boolean
  readonly tokens: number
  readonly calls: number
  readonly ms: number
  readonly said: string
}

export async function measureLongChat({ seed, signal, log }: BenchOptions, { turns, probes }: LongChatScale): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'long-chat-'))
  try {
    const embedder = scriptedEmbedder({ dimensions: DIMENSIONS })
    const path = join(folder, 'memory.db')
    await using memory = await openMemory(path, { embedderId: embedder.id, dimensions: DIMENSIONS })
    const chats = generateLongChats({ turns, seed, probes })
    const [chat] = chats as [LongChat, ...LongChat[]]
    const base: ControllerOptions = { memory, count: approximateCount, embedder, now: () => chat.turns.at(-1)?.createdAt ?? 0 }
    const rssBefore = rss()
    const growth = await fill(memory, chats, { base, log, signal })
    const rssMegabytes = rss() - rssBefore
    const bytesPerTurn = (await stat(path)).size / chats.reduce((sum, one) => sum + one.turns.length, 0)
    await memory.delete(chat.tenant, chat.forgotten)
    const asked: Asked[] = []
    for (const [name, controller] of Object.entries(systems(base)) as [SystemName, MemoryController][]) {
      for (const probe of chat.probes) asked.push(await ask(name, controller, chat, probe, signal))
      log(
        `long-chat: ${name} ${percent(
          asked.filter(({ system }) => system === name),
          ({ right }) => right,
        ).toFixed(1)} % right`,
      )
    }
    const sent = await send(memory, chat, embedder, signal)
    const gitSha = await commit()
    return {
      settings: { turns, probes, tenants: chats.length, budget: BUDGET, seed, embedder: embedder.id, answers: 'oracle' },
      figures: {
        ...figuresOf(asked, chat),
        overBudget: sent.overBudget + asked.filter(({ overBudget }) => overBudget).length,
        sentRight: sent.right,
        rssMegabytes,
        bytesPerTurn,
      },
      items: asked.map((one) => recordOf(one, { seed, turns, gitSha })),
      plots: {
        growth: await linePlot({ title: 'Selecting from a growing chat', x: 'turns', y: 'ms, 95th percentile', points: growth }),
        parts: await barPlot({
          title: `Right answers within ${BUDGET} tokens`,
          x: 'system',
          y: '%',
          points: Object.keys(systems(base)).map((name) => ({
            x: name,
            y: percent(
              asked.filter(({ system }) => system === name),
              ({ right }) => right,
            ),
          })),
        }),
      },
      notes: NOTES,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const NOTES: readonly string[] = [
  "The answers are an oracle over the prompt: it says the latest value that stands there, so that a wrong answer is the memory's fault. `judged` asks an oracle for SCM's judgements; `scm` and all others call no model.",
  'stale: former values said in place of the current one, or of none; staleByLostSummary: the same where the current one stands in a long turn whose summary lost it, as one in ten does. leaks: forgotten values and those of other tenants in what came back. overBudget: selections and prompts above the budget.',
  "rssMegabytes: growth of the process while the chat was stored: the store's caches and the generated chat itself. bytesPerTurn: the database file over its turns, with vectors of 256 components.",
]

/** Stores all chats; the time of a selection is taken while the first one grows. */
async function fill(
  memory: MemoryStore,
  chats: readonly LongChat[],
  { base, log, signal }: { readonly base: ControllerOptions; readonly log: (line: string) => void; readonly signal: AbortSignal },
): Promise<{ x: number; y: number }[]> {
  const growth: { x: number; y: number }[] = []
  const scm = scmController(base)
  for (const chat of chats.toReversed()) {
    const isFirst = chat === chats[0]
    const measured = new Set([0.05, 0.25, 0.5, 1].map((share) => Math.ceil((share * chat.turns.length) / BATCH)))
    for (let start = 0; start < chat.turns.length; start += BATCH) {
      signal.throwIfAborted()
      await memory.append(chat.tenant, THREAD, await records(chat.turns, start, base))
      if (!isFirst || !measured.has(start / BATCH + 1)) continue
      // The first search takes over what was stored since the last one.
      for (const probe of chat.probes.slice(0, 1)) await timed(scm, chat, probe, signal)
      const times: number[] = []
      for (const probe of chat.probes.filter(({ before }) => before === undefined)) times.push((await timed(scm, chat, probe, signal)).ms)
      const stored = Math.min(chat.turns.length, start + BATCH)
      growth.push({ x: stored, y: quantile(times, 0.95) })
      log(`long-chat: ${stored} turns, select ${growth.at(-1)?.y.toFixed(1)} ms`)
    }
  }
  return growth
}

async function records(
  turns: readonly ChatTurn[],
  start: number,
  { embedder, count }: ControllerOptions,
): Promise<Parameters<MemoryStore['append']>[2]> {
  const batch = turns.slice(start, start + BATCH)
  const vectors = await embedder?.embed(batch.map(({ summary, text }) => summary ?? text))
  return batch.map((turn, at) => {
    const { summary } = turn
    const summaryTokens = summary === undefined ? {} : { summaryTokens: count(summary) }
    return Object.assign({ kind: 'turn' as const }, turn, summaryTokens, vectors?.[at] ? { vector: vectors[at] } : {})
  })
}

async function timed(
  controller: MemoryController,
  { tenant }: LongChat,
  probe: Probe,
  signal: AbortSignal,
): Promise<{ selection: Selection; ms: number }> {
  const { question: text, before } = probe
  const began = performance.now()
  const selection = await controller.select(
    { scope: tenant, threadId: THREAD, text, signal, ...(before === undefined ? {} : { before }) },
    BUDGET,
  )
  return { selection, ms: performance.now() - began }
}

async function ask(system: SystemName, controller: MemoryController, chat: LongChat, probe: Probe, signal: AbortSignal): Promise<Asked> {
  const { selection, ms } = await timed(controller, chat, probe, signal)
  const kept = selection.items.filter(({ form }) => form !== 'dropped')
  const text = kept.map((item) => item.text).join('\n')
  const said = answerFrom(text, probe.question)
  const ids = new Set(kept.map(({ id }) => id))
  return {
    system,
    probe,
    right: said === probe.answer,
    stale: said !== undefined && probe.wrong.includes(said),
    leaked: leaks(text, chat),
    overBudget: kept.reduce((sum, item) => sum + approximateCount(item.text), 0) > BUDGET,
    recalled: probe.evidence.every((id) => ids.has(id)),
    tokens: selection.tokens,
    calls: selection.calls,
    ms,
    said: said ?? UNKNOWN,
  }
}

/** Whether a text holds a value of another tenant or one that was to be forgotten. */
function leaks(text: string, { probes }: LongChat): boolean {
  const forgotten = probes.filter(({ kind }) => kind === 'forgotten').flatMap(({ wrong }) => wrong)
  return /\b99\d+-00\b/.test(text) || forgotten.some((value) => text.includes(` ${value}.`))
}

/** Whole conversations over the stored chat: the prompts that the model was sent are counted. */
async function send(
  memory: MemoryStore,
  chat: LongChat,
  embedder: NonNullable<ControllerOptions['embedder']>,
  signal: AbortSignal,
): Promise<{ overBudget: number; right: number }> {
  const model = chatOracle()
  await using conversation = await openConversation({ memory, scope: chat.tenant, threadId: THREAD, model, embedder, budget: 2 * BUDGET })
  const probes = chat.probes.filter(({ kind }) => kind === 'fact' || kind === 'update').slice(0, SENT)
  let right = 0
  for (const { question, answer } of probes) right += Number((await conversation.send(question, { signal }).result).text === answer)
  const overBudget = model.calls.filter(({ promptTokens }) => promptTokens > 2 * BUDGET).length
  return { overBudget, right: (100 * right) / Math.max(1, probes.length) }
}

function figuresOf(asked: readonly Asked[], { probes }: LongChat): Record<string, number> {
  const of = (name: SystemName): readonly Asked[] => asked.filter(({ system }) => system === name)
  const right = (items: readonly Asked[]): number => percent(items, (one) => one.right)
  const scm = of('scm')
  const distances = [...new Set(probes.filter(({ kind }) => kind === 'fact').map(({ distance }) => 10 ** Math.round(Math.log10(distance))))]
  const byDistance = distances.map((distance) => [
    `answered${distance}`,
    right(scm.filter(({ probe }) => probe.kind === 'fact' && 10 ** Math.round(Math.log10(probe.distance)) === distance)),
  ])
  const byKind = [...new Set(probes.map(({ kind }) => kind))].map((kind) => [
    `right_${kind}`,
    right(scm.filter(({ probe }) => probe.kind === kind)),
  ])
  const others = [...new Set(asked.map(({ system }) => system))].flatMap((name) => [
    [`${name}Right`, right(of(name))],
    [`${name}Tokens`, of(name).reduce((sum, { tokens }) => sum + tokens, 0) / of(name).length],
  ])
  return {
    selectP95Ms: quantile(
      scm.map(({ ms }) => ms),
      0.95,
    ),
    leaks: asked.filter(({ leaked }) => leaked).length,
    stale: scm.filter(({ stale, probe }) => stale && !probe.lost).length,
    staleByLostSummary: scm.filter(({ stale, probe }) => stale && probe.lost).length,
    packingMargin: right(scm) - right(of('naive')),
    ...Object.fromEntries([...byDistance, ...byKind, ...others]),
    judgedCalls: of('judged').reduce((sum, { calls }) => sum + calls, 0),
  }
}

function percent<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return (100 * items.filter(holds).length) / Math.max(1, items.length)
}

function recordOf(
  { system, probe, right, said, calls, tokens, ms }: Asked,
  { seed, turns, gitSha }: { readonly seed: number; readonly turns: number; readonly gitSha: string | undefined },
): BenchRecord {
  return {
    suite: SUITE,
    item: `${probe.kind}-${hashText(probe.question)}`,
    system,
    model: 'oracle',
    L: turns,
    score: right ? 1 : 0,
    gold: hashText(probe.answer ?? UNKNOWN),
    pred: hashText(said),
    calls,
    prefillTok: tokens,
    decodeTok: 0,
    ms: Math.round(ms),
    seed,
    ...(gitSha === undefined ? {} : { gitSha }),
  }
}

function rss(): number {
  return process.memoryUsage.rss() / 2 ** 20
}
