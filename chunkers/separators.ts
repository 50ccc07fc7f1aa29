/** Strings after which a text may be cut, from large to small, those of one level together. */
export type Separators = readonly (readonly string[])[]

/** Blank lines, line ends, ends of sentences, of clauses, spaces. */
export const DEFAULT_SEPARATORS: Separators = [
  ['\n\n', '\n\r\n'],
  ['\n'],
  ['. ', '? ', '! ', '.” ', '." ', '。', '？', '！'],
  ['; ', ', ', ': ', '；', '，', '、'],
  [' '],
]

/** Past the last separator of the largest level that comes to its end in (start, at]; undefined where none does. */
export function lastSeparator(text: string, start: number, at: number, separators: Separators): number | undefined {
  const window = text.slice(start, at)
  for (const level of separators) {
    let last = 0
    for (const separator of level) {
      const from = window.lastIndexOf(separator)
      if (from + separator.length > last && from >= 0) last = from + separator.length
    }
    if (last > 0) return start + last
  }
  return undefined
}
