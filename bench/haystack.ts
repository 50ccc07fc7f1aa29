/** Texts of any length with one fact hidden in them (after RULER, arXiv 2404.06654, and its noise haystack), made from a seed. */
import { needleLine } from '../testing/index.ts'
import { type RandomInteger, randomIntegers } from './random.ts'

/** `noise`: the same five sentences again and again. `words`: sentences of random words, no two chunks alike. */
export type HaystackKind = 'noise' | 'words'

/** One item: a text, a question, its answer and where that stands. */
export interface NeedleItem {
  readonly id: string
  readonly text: string
  readonly question: string
  /** A number of seven digits. */
  readonly value: string
  /** Span of the needle in the text, UTF-16 code units. */
  readonly start: number
  readonly end: number
}

export interface NeedleOptions {
  readonly id: string
  /** Where the needle goes: at the start of the sentence that holds this place, counted in code units of the haystack. */
  readonly place: number
  readonly seed: number
  /** What the number belongs to; chosen by the seed by default. */
  readonly key?: string
}

const NOISE = ['The grass is green.', 'The sky is blue.', 'The sun is yellow.', 'Here we go.', 'There and back again.']
const COMMON =
  'river stone window letter garden winter silver market bridge candle morning harbour forest paper engine island summer shadow copper valley thunder ladder ribbon meadow anchor kettle orchard lantern pepper compass barrel saddle'
const WORDS: readonly string[] = COMMON.split(' ')
const KEYS = { first: ['amber', 'brisk', 'crimson', 'dusty', 'eager', 'faint', 'gentle', 'hollow', 'ivory', 'jolly'], second: WORDS }

/** A text of sentences, at most `length` code units, with no needle in it. */
export function haystack(kind: HaystackKind, length: number, seed: number): string {
  const random = randomIntegers(seed)
  const sentences: string[] = []
  let size = 0
  for (let at = 0; ; at++) {
    const sentence = kind === 'noise' ? (NOISE[at % NOISE.length] as string) : randomSentence(random)
    if (size + sentence.length > length) break
    sentences.push(sentence, at % 40 === 39 ? '\n' : ' ')
    size += sentence.length + 1
  }
  return sentences.join('').trimEnd()
}

function randomSentence(random: RandomInteger): string {
  const words = Array.from({ length: random(4, 7) }, () => WORDS[random(0, WORDS.length - 1)] as string)
  const text = words.join(' ')
  return `${(text[0] as string).toUpperCase()}${text.slice(1)}.`
}

/**
 * Hides a needle in a haystack.
 *
 * @throws RangeError when the place lies outside of the haystack
 */
export function hideNeedle(hay: string, { id, place, seed, key: given }: NeedleOptions): NeedleItem {
  if (!(place >= 0 && place <= hay.length)) throw new RangeError(`Cannot hide a needle outside of 0 to ${hay.length}: ${place}`)
  const random = randomIntegers(seed)
  const pick = (list: readonly string[]): string => list[random(0, list.length - 1)] as string
  const key = given ?? `${pick(KEYS.first)}-${pick(KEYS.second)}`
  const value = String(random(1_000_000, 9_999_999))
  const needle = needleLine({ type: 'numbers', key, value })
  const start = sentenceStart(hay, place)
  const text = start >= hay.length ? `${hay} ${needle}` : `${hay.slice(0, start)}${needle} ${hay.slice(start)}`
  const at = text.indexOf(needle)
  const question = `What is the special magic number for ${key} mentioned in the provided text?`
  return { id, text, question, value, start: at, end: at + needle.length }
}

/** The start of the sentence that holds a place; the text's end for its end. */
function sentenceStart(text: string, place: number): number {
  if (place >= text.length) return text.length
  const before = Math.max(text.lastIndexOf('. ', place - 1), text.lastIndexOf('.\n', place - 1))
  return before < 0 ? 0 : before + 2
}

/**
 * Places for needles: spread evenly from the start to the end, every other one moved to the nearest border between chunks, into the sentence
 * before it, so that a needle longer than a sentence lies across it.
 *
 * @param borders offsets at which the haystack is cut, ascending
 */
export function needlePlaces(count: number, length: number, borders: readonly number[]): number[] {
  return Array.from({ length: count }, (_, at) => {
    const even = Math.round((length * at) / Math.max(1, count - 1))
    const nearest = borders.reduce((best, border) => (Math.abs(border - even) < Math.abs(best - even) ? border : best), Infinity)
    return at % 2 === 0 || nearest === Infinity ? even : Math.max(0, nearest - BEFORE_BORDER)
  })
}

/** Inside of the sentence before a border: past its full stop and the space. */
const BEFORE_BORDER = 3
