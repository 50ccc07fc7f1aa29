/** Share by which {@link approximateCount} may fall short of a byte-pair tokenizer with 100,000 entries or more. */
export const APPROXIMATE_MARGIN = 0.1

/** Letters behind a digit are seldom a word: codes, hashes, base64. */
const AFTER_DIGIT = 1.3

type CharacterClass = 'lower' | 'upper' | 'digit' | 'space' | 'break' | 'mark' | 'accented' | 'alphabetic' | 'dense'

/**
 * Tokens of a text, without a vocabulary: runs of letters, digits, marks and spaces are charged what byte-pair tokenizers such as cl100k and
 * o200k charge for them. Takes linear time on any text. Errs upwards: other scripts are charged at the rate of the older vocabulary.
 */
export function approximateCount(text: string): number {
  let tokens = 0
  let start = 0
  let before: CharacterClass | undefined
  while (start < text.length) {
    const kind = classOf(text.charCodeAt(start))
    const end = endOfRun(text, start, kind)
    tokens += tokensOfRun(kind, end - start) * (before === 'digit' && isLetter(kind) ? AFTER_DIGIT : 1)
    before = kind
    start = end
  }
  return Math.ceil(tokens)
}

function endOfRun(text: string, start: number, kind: CharacterClass): number {
  let end = start + 1
  // A capital opens the lower-case run behind it: "Moby" is one run, "camelCase" two.
  let current = kind
  if (kind === 'upper' && end < text.length && classOf(text.charCodeAt(end)) === 'lower') current = 'lower'
  while (end < text.length && classOf(text.charCodeAt(end)) === current) end++
  return end
}

function tokensOfRun(kind: CharacterClass, length: number): number {
  switch (kind) {
    case 'lower':
      return length <= 7 ? 1 : length / 4.5
    case 'upper':
      return length <= 2 ? 1 : length / 2
    case 'digit':
      return Math.ceil(length / 3)
    case 'space':
      return length > 1 ? 1 : 0
    case 'break':
      return 1
    case 'mark':
      return Math.max(1, length / 1.8)
    case 'accented':
      return length
    case 'alphabetic':
      return length * 0.7
    case 'dense':
      return length * 1.5
  }
}

function isLetter(kind: CharacterClass): boolean {
  return kind === 'lower' || kind === 'upper'
}

function classOf(code: number): CharacterClass {
  if (code >= 0x61 && code <= 0x7a) return 'lower'
  if (code >= 0x41 && code <= 0x5a) return 'upper'
  if (code >= 0x30 && code <= 0x39) return 'digit'
  if (code === 0x20) return 'space'
  if (code === 0x0a || code === 0x0d || code === 0x09) return 'break'
  if (code < 0x80) return 'mark'
  if (code < 0x250) return 'accented'
  return code >= 0x370 && code < 0x590 ? 'alphabetic' : 'dense'
}
