/**
 * SCM's second question with the bundled model, in both forms: as likelihood ratios, and as words. What each keeps of the turns that hold the
 * answer, what it lets pass of the others, what it makes of summaries, and what it takes.
 */
import { likelihoodTurnJudge, type TurnForm, turnJudge, type TurnJudge, type TurnJudgeInput } from '../agents/index.ts'
import { createMemoryStore } from '../memory/index.ts'
import { approximateCount, type LocalModel, openLocalModel } from '../models/index.ts'
import { scriptedEmbedder } from '../testing/index.ts'
import { type ControllerOptions, scmController } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { generateLongChats, type LongChat, type Probe } from './long-chat-generator.ts'
import { answerFrom } from './long-chat-oracle.ts'

const BUDGET = 300
const DIMENSIONS = 256
const THREAD = 'chat'
const KINDS: ReadonlySet<string> = new Set(['fact', 'update', 'coreference', 'date', 'abstention'])

export interface ScmJudgeScale {
  readonly turns: number
  /** Questions of each kind. */
  readonly probes: number
}

export const bench: Bench = {
  name: 'scm-judge',
  run: (options) => measureJudges(options, options.quick ? { turns: 1_000, probes: 1 } : { turns: 2_000, probes: 8 }),
}

/** A turn that was judged. */
interface Verdict {
  readonly form: TurnForm
  readonly isEvidence: boolean
  /** Whether its summary still says what it is evidence for; undefined without one. */
  readonly summaryHolds: boolean | undefined
}

interface Judged {
  readonly verdicts: readonly Verdict[]
  readonly right: boolean
  readonly calls: number
  readonly seconds: number
  readonly tokens: number
}

export async function measureJudges({ seed, signal, log }: BenchOptions, { turns, probes }: ScmJudgeScale): Promise<BenchResult> {
  await using model = await openLocalModel({ threads: 2, signal })
  await using memory = createMemoryStore()
  const [chat] = generateLongChats({ turns, seed, probes, tenants: 1 }) as [LongChat]
  const embedder = scriptedEmbedder({ dimensions: DIMENSIONS })
  const vectors = await embedder.embed(chat.turns.map(({ summary, text }) => summary ?? text))
  await memory.append(
    chat.tenant,
    THREAD,
    chat.turns.map((turn, at) => ({ ...turn, vector: vectors[at] as Float32Array })),
  )
  const asked = chat.probes.filter(({ kind }) => KINDS.has(kind))
  const base: ControllerOptions = { memory, embedder, count: approximateCount, now: () => chat.turns.at(-1)?.createdAt ?? 0 }
  const figures: Record<string, number> = {}
  for (const [form, judge] of Object.entries(judgesOf(model))) {
    const judged: Judged[] = []
    for (const probe of asked) {
      signal.throwIfAborted()
      judged.push(await ask(judge, base, chat, probe, signal))
      log(`scm-judge: ${form} ${judged.length} of ${asked.length}`)
    }
    Object.assign(figures, figuresOf(form, judged))
  }
  return { settings: { turns, questions: asked.length, budget: BUDGET, seed, model: model.id }, figures, notes: NOTES }
}

const NOTES: readonly string[] = [
  'Kept: share of the judged turns that hold the answer and come back. Passed: share of the others that do. The best match is not judged, as SCM keeps it whole.',
  'SummaryKept: share of the summaries that say what matters and were found enough, of turns that were kept; SummaryLost: the same of summaries that lost it. Right: answers of an oracle over what came back.',
]

function judgesOf(model: LocalModel): Readonly<Record<string, TurnJudge | undefined>> {
  return { unjudged: undefined, likelihood: likelihoodTurnJudge(model), words: turnJudge(model) }
}

async function ask(
  judge: TurnJudge | undefined,
  base: ControllerOptions,
  chat: LongChat,
  probe: Probe,
  signal: AbortSignal,
): Promise<Judged> {
  const verdicts: Verdict[] = []
  const controller = scmController({ ...base, ...(judge ? { judge: observed(judge, chat, probe, verdicts) } : {}) })
  const began = performance.now()
  const { items, calls, tokens } = await controller.select({ scope: chat.tenant, threadId: THREAD, text: probe.question, signal }, BUDGET)
  const text = items
    .filter(({ form }) => form !== 'dropped')
    .map((item) => item.text)
    .join('\n')
  return { verdicts, calls, tokens, right: answerFrom(text, probe.question) === probe.answer, seconds: (performance.now() - began) / 1_000 }
}

/** The same judge, whose verdicts are taken down. */
function observed(judge: TurnJudge, chat: LongChat, { evidence, answer }: Probe, verdicts: Verdict[]): TurnJudge {
  const texts = new Set(chat.turns.filter(({ id }) => evidence.includes(id)).map(({ text }) => text))
  return {
    ...judge,
    async run(input: TurnJudgeInput, context) {
      const output = await judge.run(input, context)
      for (const [at, { text, summary }] of input.turns.entries()) {
        const summaryHolds = summary === undefined ? undefined : answer !== undefined && summary.includes(answer)
        verdicts.push({ form: output.forms[at] ?? 'raw', isEvidence: texts.has(text), summaryHolds })
      }
      return output
    },
  }
}

function figuresOf(name: string, judged: readonly Judged[]): Record<string, number> {
  const verdicts = judged.flatMap((one) => one.verdicts)
  const comesBack = ({ form }: Verdict): boolean => form !== 'dropped'
  const isShort = ({ form }: Verdict): boolean => form === 'summary'
  const evidence = verdicts.filter(({ isEvidence }) => isEvidence)
  const shortened = (holds: boolean): Verdict[] => evidence.filter((one) => one.summaryHolds === holds && comesBack(one))
  const mean = (read: (one: Judged) => number): number => judged.reduce((sum, one) => sum + read(one), 0) / Math.max(1, judged.length)
  const all: Record<string, number> = {
    Right: 100 * mean(({ right }) => Number(right)),
    Tokens: mean(({ tokens }) => tokens),
    Kept: percent(evidence, comesBack),
    Passed: percent(
      verdicts.filter(({ isEvidence }) => !isEvidence),
      comesBack,
    ),
    SummaryKept: percent(shortened(true), isShort),
    SummaryLost: percent(shortened(false), isShort),
    CallsEach: mean(({ calls }) => calls),
    SecondsEach: mean(({ seconds }) => seconds),
  }
  const figures = name === 'unjudged' ? ['Right', 'Tokens'] : Object.keys(all)
  return Object.fromEntries(figures.map((figure) => [`${name}${figure}`, all[figure] as number]))
}

function percent<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return (100 * items.filter(holds).length) / Math.max(1, items.length)
}
