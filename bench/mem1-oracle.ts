/**
 * A model that answers several questions of HotpotQA at once and never errs, or errs in a stated share of its calls. It decides from its prompt alone: what it
 * knows of a question is what a state or a passage in it says. So what a policy loses of the one or the other is the policy's fault.
 */
import { type ScriptedCall, scriptedModel, type ScriptedModel } from '../testing/index.ts'
import { hashText } from './record.ts'

/** A question with what answers it. */
export interface HopItem {
  readonly question: string
  readonly answer: string
  /** Passages that the answer rests on, with their sentences that hold it. */
  readonly support: readonly { readonly title: string; readonly sentences: readonly string[] }[]
}

export interface OracleSettings {
  readonly items: readonly HopItem[]
  /** Whether its state holds all that it knows, as MEM1 asks, or only what is new. */
  readonly cumulative: boolean
  /** Whether there is a tool `recall`. */
  readonly recalls: boolean
  /** Share of the calls that go wrong. */
  readonly faults: number
  readonly seed: number
  readonly count: (text: string) => number
  readonly window: number
}

/** Look-ups for one question before it gives up. */
const TRIES = 3
export const UNKNOWN = 'unknown'

export function hopOracle({ items, cumulative, recalls, faults, seed, count, window }: OracleSettings): ScriptedModel {
  return scriptedModel({
    id: faults === 0 ? 'hop-oracle' : `hop-oracle-${faults * 100}%-faulty`,
    window,
    maxOutput: 4_096,
    count,
    seed,
    faults: [{ kind: 'wrong', calls: faultyCalls(faults, seed) }],
    corrupt: (reply, { number }) => spoil(reply, drawOf(`${seed} kind ${number}`)),
    fallback: (call) => decide(items, call, { cumulative, recalls }),
  })
}

/** What is known of one question. */
interface Known {
  readonly item: HopItem
  readonly number: number
  answer: string | undefined
  readonly seen: Set<string>
  tries: number
}

function decide(
  items: readonly HopItem[],
  { prompt, messages }: ScriptedCall,
  { cumulative, recalls }: { cumulative: boolean; recalls: boolean },
): string {
  const [, task, ...behind] = messages
  const seen = behind.map(({ content }) => content).join('\n\n')
  const asked = askedItems(items, task?.content ?? '')
  const before = asked.map((item, at) => readState(item, at + 1, seen))
  const known = before.map((one) => readPassages({ ...one, seen: new Set(one.seen) }, seen))
  const isDue = prompt.includes('No look-ups are left')
  const open = known.find(({ answer }) => answer === undefined)
  if (open === undefined || isDue)
    return `<IS>All is looked up.</IS><answer>${known.map(({ answer = UNKNOWN }) => answer).join('; ')}</answer>`
  // It works in order: where its state says that it was further, what was known of this question is lost.
  const hasLost = !isTouched(open) && Number(/(?:^|<IS>)now (\d+)/m.exec(seen)?.[1] ?? 0) > open.number
  const mayRecall = recalls && hasLost && !seen.includes('tool="recall"')
  const query = mayRecall ? '<query tool="recall">answer saw tries</query>' : `<query>${nextQuery(open, seen)}</query>`
  if (!mayRecall) open.tries++
  const lines = known.filter((one, at) => isTouched(one) && (cumulative || lineOf(one) !== lineOf(before[at] as Known)))
  return `<IS>${[...lines.map(lineOf), `now ${open.number}`].join('\n')}</IS>${query}`
}

function askedItems(items: readonly HopItem[], task: string): HopItem[] {
  return items
    .map((item) => ({ item, place: task.indexOf(item.question) }))
    .filter(({ place }) => place >= 0)
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

function isTouched({ answer, seen, tries }: Known): boolean {
  return answer !== undefined || seen.size > 0 || tries > 0
}

function lineOf({ number, answer, seen, tries }: Known): string {
  return answer === undefined
    ? `${number}: tries ${tries}${seen.size > 0 ? `, saw ${[...seen].join(' and ')}` : ''}`
    : `${number}: answer ${answer}`
}

/** The last line about a question holds; one with an answer before one without. */
function readState(item: HopItem, number: number, seen: string): Known {
  const known: Known = { item, number, answer: undefined, seen: new Set(), tries: 0 }
  for (const [, line = ''] of seen.matchAll(new RegExp(`(?:^|<IS>)${number}: ((?:answer|tries) [^\\n<]*)`, 'gm'))) {
    const answer = /^answer (.*)$/.exec(line)
    if (answer) known.answer = answer[1]
    known.tries = Math.max(known.tries, Number(/^tries (\d+)/.exec(line)?.[1] ?? 0))
    for (const { title } of item.support) if (line.includes(title)) known.seen.add(title)
  }
  return known
}

function readPassages(known: Known, seen: string): Known {
  const { item } = known
  for (const { title, sentences } of item.support) {
    if (sentences.every((sentence) => seen.includes(sentence.trim()))) known.seen.add(title)
  }
  if (known.answer === undefined && item.support.every(({ title }) => known.seen.has(title))) known.answer = item.answer
  if (known.answer === undefined && known.tries >= TRIES) known.answer = UNKNOWN
  return known
}

/** First the question; then a passage that it lacks, where the question or what it read names it; else the question with what it has. */
function nextQuery({ item, seen, tries }: Known, read: string): string {
  if (tries === 0) return item.question
  const lacking = item.support.filter(({ title }) => !seen.has(title)).map(({ title }) => title)
  const named = lacking.find((title) => `${item.question}\n${read}`.includes(title.replace(/\s*\(.*\)$/, '')))
  return named ?? `${[...seen].join(' ')} ${item.question}`
}

/** Calls that go wrong: the same ones whatever the policy, so that policies can be compared on few groups. */
function faultyCalls(share: number, seed: number): number[] {
  return Array.from({ length: 1_000 }, (_, at) => at + 1).filter((number) => drawOf(`${seed} call ${number}`) < share)
}

/** A number from 0 to below 1 that the text determines. */
function drawOf(text: string): number {
  return Number.parseInt(hashText(text).slice(0, 8), 16) / 2 ** 32
}

/** Leaves out the tags, forgets all but the last line, or makes an answer up; an answer loses one of many. */
function spoil(reply: string, draw: number): string {
  const [, state = '', action = ''] = /^<IS>([\s\S]*)<\/IS>([\s\S]*)$/.exec(reply) ?? []
  if (draw < 1 / 3) return `${state}\n${action.replace(/<[^>]*>/g, '')}`
  if (action.startsWith('<answer>')) return `<IS>${state}</IS>${action.replace(/; [^;]*<\/answer>$/, '</answer>')}`
  if (draw < 2 / 3) return `<IS>${state.split('\n').at(-1) ?? ''}</IS>${action}`
  return `<IS>${state.replace(/answer .*/, 'answer a made-up name')}</IS>${action}`
}
