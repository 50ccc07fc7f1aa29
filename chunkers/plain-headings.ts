import type { Heading } from './heading.ts'
import { type Paragraph, paragraphs, trimSpan } from './paragraphs.ts'

/** Kinds of numbered headings, the highest first. Kinds of one row share a level. */
const RANKS: readonly (readonly string[])[] = [
  ['volume', 'vol'],
  ['part'],
  ['book', 'act'],
  ['chapter', 'letter', 'canto', 'stave', 'lecture', 'scene'],
]

const NUMBER_WORDS =
  'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|the first|the second|the third|the fourth|the fifth|the last|first|second|third|fourth|fifth|last'

const NUMBERED = new RegExp(
  `^(${RANKS.flat().join('|')})\\.?\\s+(\\d{1,4}|[ivxlcdm]{1,9}|(?:${NUMBER_WORDS})(?:[- ][a-z]+)?)(?![\\p{L}\\p{N}])`,
  'iu',
)

const NAMED =
  /^(epilogue|prologue|etymology|extracts|preface|foreword|afterword|introduction|conclusion|contents|table of contents|postscript|postface|interlude|acknowledge?ments|dedication|glossary|bibliography|appendix(?: (?:[A-Z]|\d{1,2}|[IVX]+))?|index)(?![\p{L}\p{N}])/iu

const MAX_LENGTH = 200
const MAX_LINES = 3

interface Candidate extends Heading {
  /** What a table of contents and the body have in common. */
  readonly key: string
  readonly rank: number
  /** Whether nothing but white space stands between this heading and the one before. */
  bare: boolean
}

/**
 * Headings of a plain text: paragraphs such as "CHAPTER 1. Loomings.", "Chapter IV", "BOOK I", "EPILOGUE". Those listed in a table of contents
 * are left out where the body has them too. Levels run from 1 in the order volume, part, book, chapter, as far as the text has them.
 */
export function plainHeadings(text: string): Heading[] {
  const candidates: Candidate[] = []
  let untitled: Candidate | undefined
  let seen = 0
  for (const paragraph of paragraphs(text)) {
    const found = matchHeading(text, paragraph)
    if (found) {
      candidates.push({ ...found, bare: text.slice(seen, found.start).trim() === '' })
      untitled = found.titled ? undefined : candidates.at(-1)
      seen = found.end
      continue
    }
    const subtitle = untitled && titleOf(text, paragraph)
    if (untitled && subtitle) {
      candidates[candidates.length - 1] = { ...untitled, title: `${untitled.title} ${subtitle}`, end: paragraph.end }
      seen = paragraph.end
    }
    untitled = undefined
  }
  return withLevels(withoutContents(candidates))
}

/** Whether a paragraph, as a whole, is a heading. */
export function isPlainHeading(text: string, paragraph: Paragraph): boolean {
  const found = matchHeading(text, paragraph)
  return found !== undefined && found.end >= trimSpan(text, paragraph.start, paragraph.end).end
}

type Match = Omit<Candidate, 'bare'> & { readonly titled: boolean; readonly bare: boolean }

function matchHeading(text: string, paragraph: Paragraph): Match | undefined {
  const first = paragraph.lines[0]!
  if (first.end - first.start > MAX_LENGTH) return undefined
  const line = text.slice(first.start, first.end)
  const head = headOf(line.trim())
  if (!head) return undefined
  const short = paragraph.lines.length <= MAX_LINES && paragraph.end - paragraph.start <= MAX_LENGTH
  // A heading right above its text, with no blank line between, must be beyond doubt: nothing but kind and number, or all capitals.
  const alone = short && !paragraph.lines.slice(1).some((other) => headOf(text.slice(other.start, other.end).trim()))
  if (!alone && !(nextIsText(text, paragraph) && (head.rest === '' || isCapitals(line)))) return undefined
  const { start, end } = trimSpan(text, paragraph.start, alone ? paragraph.end : first.end)
  const title = text.slice(start, end).replace(/\s+/g, ' ')
  return { start, end, title, level: 1, key: head.key, rank: head.rank, titled: head.rest !== '' || head.rank === 0, bare: false }
}

interface Head {
  readonly key: string
  readonly rank: number
  readonly rest: string
}

/** Kind, number and what follows them; undefined where the line runs on as a sentence does ("Chapter 3 was hard"). */
function headOf(line: string): Head | undefined {
  const named = NAMED.exec(line)
  const match = named ?? NUMBERED.exec(line)
  if (!match) return undefined
  const after = line.slice(match[0].length)
  const rest = after.replace(/^[\s.:,;\-–—)\]]+/u, '').trim()
  if (named) {
    if (!/^\s*(?:$|[.:([—–"“‘])/u.test(after)) return undefined
    return { key: named[1]!.toLowerCase(), rank: 0, rest }
  }
  const kind = match[1]!.toLowerCase()
  if (!/^\s*(?:$|[.:,)\]—–-])|^\s+[^\p{Ll}\s]/u.test(after)) return undefined
  const rank = 1 + RANKS.findIndex((kinds) => kinds.includes(kind))
  return { key: `${kind} ${match[2]!.toLowerCase()}`, rank, rest }
}

function nextIsText(text: string, paragraph: Paragraph): boolean {
  const second = paragraph.lines[1]
  return second !== undefined && !headOf(text.slice(second.start, Math.min(second.end, second.start + MAX_LENGTH)).trim())
}

function isCapitals(line: string): boolean {
  return !/\p{Ll}/u.test(line)
}

/** The title that stands on a line of its own under "CHAPTER I". */
function titleOf(text: string, paragraph: Paragraph): string | undefined {
  if (paragraph.lines.length > 1 || paragraph.end - paragraph.start > 80) return undefined
  const line = text.slice(paragraph.start, paragraph.end).trim()
  if (!/^["“‘']?[\p{Lu}\p{N}]/u.test(line)) return undefined
  return isCapitals(line) || !/[.!?:;,"”’]$/u.test(line) ? line : undefined
}

/** A run of headings without text between them, with two of one rank, is a table of contents; its lines go where the heading comes again. */
function withoutContents(candidates: readonly Candidate[]): Candidate[] {
  const last = new Map<string, number>()
  candidates.forEach(({ key }, index) => last.set(key, index))
  const kept: Candidate[] = []
  for (let from = 0; from < candidates.length;) {
    let to = from + 1
    while (to < candidates.length && candidates[to]!.bare) to++
    const run = candidates.slice(from, to)
    const isContents = run.length >= 3 && new Set(run.map(({ rank }) => rank)).size < run.length
    kept.push(...run.filter(({ key }, offset) => !isContents || last.get(key) === from + offset))
    from = to
  }
  return kept
}

function withLevels(candidates: readonly Candidate[]): Heading[] {
  const ranks = [...new Set(candidates.map(({ rank }) => rank))].filter((rank) => rank > 0).toSorted((a, b) => a - b)
  return candidates.map(({ start, end, title, rank }) => ({ start, end, title, level: rank === 0 ? 1 : ranks.indexOf(rank) + 1 }))
}
