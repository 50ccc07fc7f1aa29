/**
 * Long chats with planted facts, made from a seed: what was said once, changed later, taken back, said by reference to the message before,
 * or never said at all, among talk about the same places and others. Every question has its answer and the turns that hold it.
 */
import { type RandomInteger, randomIntegers, shuffled } from './random.ts'

export type ProbeKind = 'fact' | 'update' | 'negation' | 'coreference' | 'date' | 'followUp' | 'abstention' | 'forgotten' | 'otherTenant'

export interface ChatTurn {
  readonly id: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  /** What a summariser makes of a long turn; one in ten loses what matters. */
  readonly summary?: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** A question about a chat. */
export interface Probe {
  readonly kind: ProbeKind
  readonly question: string
  /** A value, `none` where it was taken back, or undefined where the chat holds no answer. */
  readonly answer: string | undefined
  /** Ids of the turns that hold the answer. */
  readonly evidence: readonly string[]
  /** Values that would be wrong to say: former ones, forgotten ones, those of other tenants. */
  readonly wrong: readonly string[]
  /** Whether the answer stands in a long turn whose summary lost it. */
  readonly lost: boolean
  /** Turns between the evidence and the end of the chat. */
  readonly distance: number
  /** Index of the turn that the question stands in the place of, where that is not the end of the chat. */
  readonly before?: number
}

export interface LongChat {
  readonly tenant: string
  readonly turns: readonly ChatTurn[]
  readonly probes: readonly Probe[]
  /** Ids of turns that are forgotten before anything is asked. */
  readonly forgotten: readonly string[]
}

export interface LongChatOptions {
  /** Turns of the first tenant; users and assistants take turns. */
  readonly turns: number
  readonly seed: number
  /** Questions of each kind; 20 by default. */
  readonly probes?: number
  /** Tenants; the others have a tenth of the turns and speak of the same places. 3 by default. */
  readonly tenants?: number
}

const FIRST =
  'amber brisk crimson dusty eager faint gentle hollow ivory jolly keen lofty mellow narrow olive purple quiet rugged silver tidy'.split(
    ' ',
  )
const SECOND =
  'lighthouse orchard foundry cottage library workshop harbour mill garden bakery stable chapel observatory depot tavern greenhouse quarry studio pavilion archive boathouse brewery cellar clinic dairy ferry gallery hangar inn jetty'.split(
    ' ',
  )
const ATTRIBUTES = ['door code', 'alarm code', 'parking space', 'account number', 'meter reading', 'extension']
const TOPICS =
  'weather breakfast music football trains painting novels bicycles cooking gardening films holidays neighbours coffee chess sailing birds clouds puzzles stamps'.split(
    ' ',
  )
const VERBS = 'enjoyed discussed considered noticed remembered preferred described compared postponed recommended'.split(' ')
const DAY = 86_400_000
/** Where each fact is planted, in turns before the end. */
const DISTANCES = [10, 100, 1_000, 10_000, 90_000]

interface Planted {
  readonly kind: ProbeKind
  readonly place: string
  readonly attribute: string
  readonly question: string
  readonly answer: string | undefined
  readonly wrong: readonly string[]
  /** What is said, message by message, each in an exchange of its own; the last holds the answer. */
  readonly said: readonly string[]
  /** Places of the messages, as exchanges from the start, ascending. */
  readonly at: readonly number[]
}

/** The chats of all tenants, the first one with the questions. */
export function generateLongChats({ turns, seed, probes = 20, tenants = 3 }: LongChatOptions): LongChat[] {
  const places = FIRST.flatMap((first) => SECOND.map((second) => `${first} ${second}`))
  const random = randomIntegers(seed)
  const subjects = shuffled(
    places.flatMap((place) => ATTRIBUTES.map((attribute) => ({ place, attribute }))),
    random,
  )
  const exchanges = Math.floor(turns / 2)
  const planted = plant(subjects, exchanges, probes, random)
  const first = write('tenant-0', exchanges, planted, random)
  const others = Array.from({ length: tenants - 1 }, (_, at) =>
    write(
      `tenant-${at + 1}`,
      Math.max(planted.length, Math.floor(exchanges / 10)),
      planted.map((one, index) => foreign(one, index)),
      random,
    ),
  )
  return [first, ...others.map(({ tenant, turns: said }) => ({ tenant, turns: said, probes: [], forgotten: [] }))]
}

/** The same subject with another tenant's value. */
function foreign({ place, attribute, ...rest }: Planted, index: number): Planted {
  return { ...rest, place, attribute, kind: 'fact', said: [`The ${attribute} of the ${place} is 99${index}-00.`], at: [index] }
}

function plant(
  subjects: readonly { readonly place: string; readonly attribute: string }[],
  exchanges: number,
  probes: number,
  random: RandomInteger,
): Planted[] {
  const kinds: readonly ProbeKind[] = [
    'fact',
    'update',
    'negation',
    'coreference',
    'date',
    'followUp',
    'abstention',
    'forgotten',
    'otherTenant',
  ]
  const taken = new Set<number>()
  const distances = DISTANCES.filter((distance) => distance <= 1.8 * exchanges)
  return kinds.flatMap((kind, kindAt) =>
    Array.from({ length: probes }, (_, at): Planted => {
      const { place, attribute } = subjects[kindAt * probes + at] as (typeof subjects)[number]
      const back = Math.ceil((distances[at % distances.length] as number) / 2)
      const last = freeFrom(Math.max(0, exchanges - back), taken, exchanges, kind === 'coreference' ? 2 : 1)
      return { ...make(kind, place, attribute, random), at: placesOf(kind, last, taken, random) }
    }),
  )
}

/** The last of `width` free exchanges in a row nearest to a place, backwards first. */
function freeFrom(place: number, taken: Set<number>, exchanges: number, width = 1): number {
  for (let away = 0; away < exchanges; away++) {
    for (const at of [place - away, place + away]) {
      const row = Array.from({ length: width }, (_, back) => at - back)
      if (row.some((one) => one < 0 || one >= exchanges || taken.has(one))) continue
      for (const one of row) taken.add(one)
      return at
    }
  }
  throw new RangeError(`Cannot plant more facts as the chat has too few turns: ${2 * exchanges}`)
}

/** Earlier messages of the same fact stand anywhere before it, but for the one that a reference needs just before it. */
function placesOf(kind: ProbeKind, last: number, taken: Set<number>, random: RandomInteger): number[] {
  if (kind === 'coreference' || kind === 'followUp') return [last]
  if (kind === 'update' || kind === 'negation') return [freeFrom(random(0, Math.max(0, last - 1)), taken, Math.max(1, last)), last]
  return kind === 'abstention' || kind === 'otherTenant' ? [] : [last]
}

function make(kind: ProbeKind, place: string, attribute: string, random: RandomInteger): Omit<Planted, 'at'> {
  const value = (): string => `${random(100, 989)}-${random(10, 99)}`
  const [old, current] = [value(), value()]
  const subject = `${attribute} of the ${place}`
  const question = `What is the ${subject}?`
  const known = { kind, place, attribute, question, answer: current, wrong: [] as string[] }
  switch (kind) {
    case 'update':
      return { ...known, wrong: [old], said: [`The ${subject} is ${old}.`, `The ${subject} has changed: it is ${current} now.`] }
    case 'negation':
      return { ...known, answer: 'none', wrong: [old], said: [`The ${subject} is ${old}.`, `The ${subject} is no longer in use.`] }
    case 'coreference':
      return { ...known, said: [`I rented the ${place} last week. |Its ${attribute} is ${current}.`] }
    case 'followUp':
      return {
        ...known,
        question: `And what is its ${attribute}?`,
        said: [`I rented the ${place} last week. Its ${attribute} is ${current}.`],
      }
    case 'date': {
      const date = new Date(Date.UTC(2024, random(0, 11), random(1, 28))).toISOString().slice(0, 10)
      return { ...known, question: `When did I visit the ${place}?`, answer: date, said: [`On ${date} I visited the ${place}.`] }
    }
    case 'abstention':
    case 'otherTenant':
      return { ...known, answer: undefined, said: [] }
    case 'forgotten':
      return { ...known, answer: undefined, wrong: [current], said: [`The ${subject} is ${current}.`] }
    case 'fact':
      return { ...known, said: [`The ${subject} is ${current}.`] }
  }
}

/** Writes a chat exchange by exchange. */
function write(tenant: string, exchanges: number, planted: readonly Planted[], random: RandomInteger): LongChat {
  const messages = new Map<number, { readonly planted: Planted; readonly text: string }>()
  for (const one of planted) one.at.forEach((place, at) => messages.set(place, { planted: one, text: one.said[at] ?? '' }))
  const turns: ChatTurn[] = []
  const evidence = new Map<Planted, string[]>()
  const start = Date.UTC(2024, 0, 1)
  for (let exchange = 0; exchange < exchanges; exchange++) {
    const createdAt = start + Math.floor((exchange * 300 * DAY) / exchanges)
    const message = messages.get(exchange)
    const [opening = '', sequel] = message?.text.split('|') ?? []
    const said = message === undefined ? smallTalk(random) : (sequel ?? opening)
    // A reference needs what it refers to in the exchange before.
    if (sequel !== undefined) replaceLast(turns, opening.trim())
    const user = {
      id: `${tenant}/${2 * exchange}`,
      role: 'user' as const,
      createdAt,
      ...(message ? wrapped(said, random) : { text: said }),
    }
    turns.push(user, { id: `${tenant}/${2 * exchange + 1}`, role: 'assistant', createdAt, text: answerOf(message !== undefined, random) })
    if (message) evidence.set(message.planted, [...(sequel === undefined ? [] : [`${tenant}/${2 * exchange - 2}`]), user.id])
  }
  return {
    tenant,
    turns,
    probes: planted.map((one) => probeOf(one, evidence.get(one) ?? [], turns)),
    forgotten: forgottenOf(planted, tenant),
  }
}

function replaceLast(turns: ChatTurn[], text: string): void {
  const user = turns.at(-2)
  if (user !== undefined) turns[turns.length - 2] = { id: user.id, role: user.role, createdAt: user.createdAt, text }
}

/** Half of what matters is said in a long message. */
function wrapped(fact: string, random: RandomInteger): Pick<ChatTurn, 'text' | 'summary'> {
  if (random(0, 1) === 0) return { text: fact }
  const before = Array.from({ length: random(4, 10) }, () => smallTalk(random)).join(' ')
  const after = Array.from({ length: random(4, 10) }, () => smallTalk(random)).join(' ')
  return { text: `${before} ${fact} ${after}`, summary: random(1, 10) === 1 ? LOST : fact }
}

const LOST = 'The user talks about this and that.'

function smallTalk(random: RandomInteger): string {
  const pick = (list: readonly string[]): string => list[random(0, list.length - 1)] as string
  const place = `${pick(FIRST)} ${pick(SECOND)}`
  const forms = [
    `We ${pick(VERBS)} the ${pick(TOPICS)} near the ${place}.`,
    `My sister ${pick(VERBS)} ${pick(TOPICS)} and ${pick(TOPICS)} yesterday.`,
    `Somebody asked about the ${pick(ATTRIBUTES)} again, and about ${pick(TOPICS)}.`,
    `The ${place} looked lovely, though nobody ${pick(VERBS)} the ${pick(TOPICS)}.`,
  ]
  return pick(forms)
}

function answerOf(noted: boolean, random: RandomInteger): string {
  return noted ? 'Thank you, I have noted that.' : `I see. ${smallTalk(random)}`
}

function probeOf({ kind, question, answer, wrong, at }: Planted, evidence: readonly string[], turns: readonly ChatTurn[]): Probe {
  const last = at.at(-1)
  const distance = last === undefined ? turns.length : turns.length - 2 * last
  const lost = last !== undefined && turns[2 * last]?.summary === LOST
  return {
    kind,
    question,
    answer,
    evidence,
    wrong,
    lost,
    distance,
    ...(kind === 'followUp' && last !== undefined ? { before: 2 * last + 2 } : {}),
  }
}

function forgottenOf(planted: readonly Planted[], tenant: string): string[] {
  return planted.flatMap(({ kind, at }) => (kind === 'forgotten' ? at.map((place) => `${tenant}/${2 * place}`) : []))
}
