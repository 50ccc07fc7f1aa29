/** A part of a text: a token that stands in it whole, or what lies between such tokens. */
export interface TextPart {
  readonly text: string
  /** Id of the whole token. */
  readonly id: number | undefined
}

/**
 * A function that cuts a text at the tokens of `wholes` (ids by content): the leftmost first, the longest of those that begin at one place.
 */
export function wholeTokenCutter(wholes: ReadonlyMap<string, number>): (text: string) => TextPart[] {
  const byFirst = new Map<string, string[]>()
  for (const content of wholes.keys()) {
    if (content === '') continue
    const first = content.charAt(0)
    byFirst.set(first, [...(byFirst.get(first) ?? []), content])
  }
  if (byFirst.size === 0) return (text) => [{ text, id: undefined }]
  for (const contents of byFirst.values()) contents.sort((a, b) => b.length - a.length)
  const units = [...byFirst.keys()].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const beginnings = new RegExp(`[${units.join('')}]`, 'g')

  return (text) => {
    const parts: TextPart[] = []
    let start = 0
    beginnings.lastIndex = 0
    for (let found = beginnings.exec(text); found !== null; found = beginnings.exec(text)) {
      const at = found.index
      const content = byFirst.get(text.charAt(at))?.find((candidate) => text.startsWith(candidate, at))
      if (content === undefined) continue
      if (at > start) parts.push({ text: text.slice(start, at), id: undefined })
      parts.push({ text: content, id: wholes.get(content) })
      start = at + content.length
      beginnings.lastIndex = start
    }
    if (start < text.length) parts.push({ text: text.slice(start), id: undefined })
    return parts
  }
}
