/** Joins what was parted at the end of a line. */
export type JoinWords = (before: string, after: string) => 'hyphen' | 'none' | undefined

/** The last word of a line with its hyphen, the first of the next. */
const PARTED = /(\p{L}[\p{L}\p{M}]*)[-\u2010]$/u
const REST = /^(\p{Ll}[\p{L}\p{M}]*)/u

/**
 * Makes a function that says how a line that ends in a hyphen goes on: `none`, the hyphen was put there by the typesetter; `hyphen`, it
 * belongs to the word; undefined where the lines are not of one word. The text itself decides: a word that stands elsewhere in it with
 * or without the hyphen; where neither does, the hyphen goes.
 */
export function wordJoiner(lines: Iterable<string>): JoinWords {
  const known = new Set<string>()
  for (const line of lines)
    for (const [word] of line.matchAll(/\p{L}[\p{L}\p{M}]*(?:[-\u2010]\p{L}[\p{L}\p{M}]*)*/gu)) known.add(plain(word))
  return (before, after) => {
    if (before.endsWith('\u00AD')) return 'none'
    const head = PARTED.exec(before)?.[1]
    const rest = REST.exec(after)?.[1]
    if (head === undefined || rest === undefined) return undefined
    if (known.has(plain(head + rest))) return 'none'
    return known.has(plain(`${head}-${rest}`)) ? 'hyphen' : 'none'
  }
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('\u2010', '-')
}
