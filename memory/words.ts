import { stemWord } from './stem-word.ts'
import { stopWords } from './stop-words.ts'

/** Raised when `indexTerms` changes: a stored word index of another version is built anew. */
export const wordsVersion = 1

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu
/** Scripts written without spaces between words. */
const unspaced = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u
const unspacedRuns = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{M}]+/gu
/** 's, n't, 'll and their like: no part of the word before them. */
const clitics = /(?:n['’]t|['’](?:s|d|ll|ve|re|m))(?![\p{L}\p{N}])/gu
const digitGroups = /(?<=\p{N})[,'’](?=\p{N}{3}(?!\p{N}))/gu

/**
 * The words of a text in order: runs of Unicode letters and digits, in lower case, diacritics folded ("Éowyn's" gives "eowyn").
 * Scripts without spaces between words give overlapping pairs of characters.
 */
export function splitWords(text: string): string[] {
  const words: string[] = []
  for (const [word] of fold(text).replace(clitics, '').replace(digitGroups, '').matchAll(wordPattern)) {
    if (unspaced.test(word)) words.push(...splitUnspaced(word))
    else words.push(word)
  }
  return words
}

/** The terms that a word index holds of a text: its words without stop words, stemmed. */
export function indexTerms(text: string): string[] {
  return splitWords(text)
    .filter((word) => !stopWords.has(word))
    .map(stemOf)
}

/** Stems of words seen before: texts repeat their words, and a stem takes a dozen patterns. */
const stems = new Map<string, string>()
const maxStems = 50_000

function stemOf(word: string): string {
  const known = stems.get(word)
  if (known !== undefined) return known
  if (stems.size >= maxStems) stems.clear()
  const stem = stemWord(word)
  stems.set(word, stem)
  return stem
}

/** Terms of a record: its text and its context alike. */
export function recordTerms(record: { readonly text: string; readonly context?: string }): string[] {
  return indexTerms(record.context ? `${record.context}\n${record.text}` : record.text)
}

function fold(text: string): string {
  const lower = text.toLowerCase()
  // Only the marks of Latin, Greek and Cyrillic are diacritics; in other scripts they are vowels.
  return /^\p{ASCII}*$/u.test(lower)
    ? lower
    : lower
        .normalize('NFKD')
        .replace(/[\u0300-\u036f]/g, '')
        .normalize('NFC')
        .toLowerCase()
}

function splitUnspaced(word: string): string[] {
  const parts: string[] = []
  let end = 0
  for (const match of word.matchAll(unspacedRuns)) {
    if (match.index > end) parts.push(word.slice(end, match.index))
    parts.push(...pairs(match[0]))
    end = match.index + match[0].length
  }
  if (end < word.length) parts.push(word.slice(end))
  return parts
}

function pairs(run: string): string[] {
  const characters = Array.from(run)
  if (characters.length < 2) return characters
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`)
}
