import type { Line } from './page-lines.ts'

/** How much larger than the text a heading is set. */
const LARGER = 1.15
const LONGEST = 160
const MOST_LEVELS = 6
/** Above this share of the text, a large size is no size of headings. */
const MOST_SHARE = 0.15

/** The size that most of the text is set in. */
export function bodySize(lines: readonly Line[]): number {
  const letters = new Map<number, number>()
  for (const { size, text, cells } of lines) if (!cells) letters.set(half(size), (letters.get(half(size)) ?? 0) + text.length)
  return [...letters].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0
}

/** Makes a function that gives the level of a heading by its size, 1 for the largest; undefined for what is no heading. */
export function headingLevels(lines: readonly Line[], body: number): (line: Line) => number | undefined {
  const total = lines.reduce((sum, { text }) => sum + text.length, 0)
  const letters = new Map<number, number>()
  for (const line of lines) if (isHeading(line, body)) letters.set(half(line.size), (letters.get(half(line.size)) ?? 0) + line.text.length)
  const sizes = [...letters]
    .filter(([, share]) => share < Math.max(LONGEST, MOST_SHARE * total))
    .map(([size]) => size)
    .toSorted((a, b) => b - a)
  return (line) => {
    const at = isHeading(line, body) ? sizes.indexOf(half(line.size)) : -1
    return at < 0 ? undefined : Math.min(at + 1, MOST_LEVELS)
  }
}

function isHeading({ size, text, cells, mono }: Line, body: number): boolean {
  return !cells && !mono && size > LARGER * body && text.length < LONGEST && /\p{L}{2}/u.test(text)
}

/** Sizes are told apart by half points. */
function half(size: number): number {
  return Math.round(size * 2) / 2
}
