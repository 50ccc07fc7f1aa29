import type { Document, Span } from '../document.ts'
import { sentences } from '../sentences.ts'
import { phraseStopWords } from './phrase-stop-words.ts'
import { rankWords } from './rank-words.ts'

/** A phrase that says what a document is about. */
export interface KeyPhrase {
  /** As it is written where it comes first. */
  readonly text: string
  /** Above 0; to be compared within one document only. */
  readonly score: number
  /** Where it stands, in order, whatever its capitals. */
  readonly spans: readonly Span[]
}

export interface KeyPhraseOptions {
  /** Most phrases; one for 50 words by default, 16 at least and 1,000 at most. */
  readonly limit?: number
  /** Most words of a phrase; 4 by default. */
  readonly maxWords?: number
  /** From 0 to 1: how much a phrase loses that repeats words of a better one; 0.5 by default. */
  readonly diversity?: number
  /** Words that are in no phrase, in lower case; English function words by default. */
  readonly stopWords?: ReadonlySet<string>
}

interface Word extends Span {
  readonly text: string
}

interface Candidate {
  readonly text: string
  readonly words: readonly string[]
  readonly spans: Span[]
  score: number
}

/**
 * The key phrases of a document, best first: runs of words without stop words and marks in them, parted where a part is repeated. A phrase scores the
 * importance of its words (`rankWords`: TextRank, drawn to early and frequent words as in PositionRank), times 1 and the logarithm of how often it
 * stands; and phrases are taken by maximal marginal relevance (Carbonell and Goldstein 1998), likeness being the share of common words. No model is
 * asked. Words of scripts without spaces are those of a dictionary (`Intl.Segmenter`); there, pass `stopWords` of the language.
 *
 * @throws RangeError when a setting is out of its range
 */
export function keyPhrases(document: Document, options: KeyPhraseOptions = {}): KeyPhrase[] {
  const { maxWords = 4, diversity = 0.5, stopWords = phraseStopWords } = options
  const { limit } = options
  for (const [name, value] of Object.entries({ limit: limit ?? 1, maxWords })) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`Cannot find key phrases as ${name} is no whole number above 0: ${value}`)
  }
  if (!(diversity >= 0 && diversity <= 1)) throw new RangeError(`Cannot find key phrases as diversity is not from 0 to 1: ${diversity}`)
  const { text } = document
  const words = [...sentences(text)].map((span) => wordsOf(text, span))
  const total = words.reduce((sum, sentence) => sum + sentence.length, 0)
  const isContent = (word: Word): boolean => !stopWords.has(keyOf(word.text)) && /\p{L}/u.test(word.text) && word.text.length > 1
  const ranks = rankWords(words.map((sentence) => sentence.map((word) => (isContent(word) ? keyOf(word.text) : undefined))))
  const candidates = findCandidates(text, [...contentRuns(text, words, isContent)], maxWords)
  for (const candidate of candidates) {
    const rank = candidate.words.reduce((sum, word) => sum + (ranks.get(word) ?? 0), 0)
    candidate.score = rank * (1 + Math.log(candidate.spans.length))
  }
  return choose(candidates, limit ?? Math.min(1_000, Math.max(16, Math.ceil(total / 50))), diversity)
}

const wordPattern = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[-'’](?=[\p{L}\p{N}])[\p{L}\p{N}\p{M}]+)*/gu
const unspaced = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u
let segmenter: Intl.Segmenter | undefined

function wordsOf(text: string, { start, end }: Span): Word[] {
  return [...text.slice(start, end).matchAll(wordPattern)].flatMap(({ 0: word, index }) => {
    const at = start + index
    if (!unspaced.test(word)) return [{ text: word, start: at, end: at + word.length }]
    segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' })
    return [...segmenter.segment(word)].map((part) => ({
      text: part.segment,
      start: at + part.index,
      end: at + part.index + part.segment.length,
    }))
  })
}

function keyOf(word: string): string {
  return word.toLowerCase().replace(/['’]s$/, '')
}

/** Words of a run that are looked at together. */
const longestRun = 16

/** Runs of content words with nothing but space between them. */
function* contentRuns(text: string, sentenceWords: readonly (readonly Word[])[], isContent: (word: Word) => boolean): Generator<Word[]> {
  for (const words of sentenceWords) {
    let run: Word[] = []
    for (const word of words) {
      const joins = run.length > 0 && run.length < longestRun && text.slice(run.at(-1)?.end, word.start).trim() === ''
      if (!isContent(word) || !joins) {
        if (run.length > 0) yield run
        run = []
      }
      if (isContent(word)) run.push(word)
    }
    if (run.length > 0) yield run
  }
}

/** The phrases of all runs: in each run first what is repeated elsewhere, so that "crew fears Captain Ahab" gives "Captain Ahab"; then what is left. */
function findCandidates(text: string, runs: readonly (readonly Word[])[], maxWords: number): Candidate[] {
  const counts = countParts(runs, maxWords)
  const found = new Map<string, Candidate>()
  for (const part of runs.flatMap((run) => splitRun(run, counts, maxWords))) {
    const words = part.map((word) => keyOf(word.text))
    const span = { start: part[0]?.start ?? 0, end: part.at(-1)?.end ?? 0 }
    const known = found.get(words.join(' '))
    if (known) known.spans.push(span)
    else found.set(words.join(' '), { text: text.slice(span.start, span.end).replace(/\s+/g, ' '), words, spans: [span], score: 0 })
  }
  return [...found.values()]
}

/** How often each part of two words or more stands in the runs. */
function countParts(runs: readonly (readonly Word[])[], maxWords: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const run of runs) {
    run.forEach((_, start) => {
      for (let end = start + 2; end <= Math.min(run.length, start + maxWords); end++) {
        const key = partKey(run.slice(start, end))
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    })
  }
  return counts
}

function splitRun(run: readonly Word[], counts: ReadonlyMap<string, number>, maxWords: number): (readonly Word[])[] {
  let best = { start: 0, end: Math.min(run.length, maxWords), value: 0 }
  run.forEach((_, start) => {
    for (let end = start + 2; end <= Math.min(run.length, start + maxWords); end++) {
      const value = (end - start) * Math.log(counts.get(partKey(run.slice(start, end))) ?? 1)
      if (value > best.value) best = { start, end, value }
    }
  })
  const { start, end } = best
  if (end - start === run.length) return [run]
  const sides = [run.slice(0, start), run.slice(end)].map((side) => (side.length > 0 ? splitRun(side, counts, maxWords) : []))
  return [...(sides[0] ?? []), run.slice(start, end), ...(sides[1] ?? [])]
}

function partKey(words: readonly Word[]): string {
  return words.map((word) => keyOf(word.text)).join(' ')
}

/** Takes the best, again and again, each time less what it shares with those that were taken. */
function choose(candidates: readonly Candidate[], limit: number, diversity: number): KeyPhrase[] {
  const best = candidates.reduce((most, { score }) => Math.max(most, score), 0)
  const pool = candidates.toSorted((a, b) => b.score - a.score).slice(0, limit * 8)
  const likeness = new Float64Array(pool.length)
  const taken = new Set<number>()
  while (taken.size < Math.min(limit, pool.length)) {
    let [chosen, most] = [-1, -Infinity]
    pool.forEach(({ score }, at) => {
      const value = (1 - diversity) * (score / best) - diversity * (likeness[at] ?? 0)
      if (!taken.has(at) && value > most) [chosen, most] = [at, value]
    })
    const { words } = pool[chosen] as Candidate
    taken.add(chosen)
    pool.forEach((other, at) => (likeness[at] = Math.max(likeness[at] ?? 0, overlap(words, other.words))))
  }
  return [...taken].map((at) => pool[at] as Candidate).map(({ text, score, spans }) => ({ text, score, spans }))
}

/** Shared words over all words (Jaccard). */
function overlap(left: readonly string[], right: readonly string[]): number {
  const shared = left.filter((word) => right.includes(word)).length
  return shared === 0 ? 0 : shared / new Set([...left, ...right]).size
}
