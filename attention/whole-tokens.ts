/** A part of a text: a token that stands in it whole, or what lies between such tokens. */
export interface TextPart {
  readonly text: string
  /** Id of the whole token. */
  readonly id: number | undefined
}

/** White space beside a token that is taken for a part of it. */
export interface Stripping {
  readonly before: boolean
  readonly after: boolean
}

/**
 * A function that cuts a text at the tokens of `wholes` (ids by content): the leftmost first, the longest of those that begin at one place.
 *
 * @param strips what of the white space around a token is left out, by id
 */
export function wholeTokenCutter(
  wholes: ReadonlyMap<string, number>,
  strips: ReadonlyMap<number, Stripping> = new Map(),
): (text: string) => TextPart[] {
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
      const id = wholes.get(content)
      const strip = id === undefined ? undefined : strips.get(id)
      const end = strip?.before === true ? spaceStart(text, start, at) : at
      if (end > start) parts.push({ text: text.slice(start, end), id: undefined })
      parts.push({ text: content, id })
      start = at + content.length
      if (strip?.after === true) start = spaceEnd(text, start)
      beginnings.lastIndex = start
    }
    if (start < text.length) parts.push({ text: text.slice(start), id: undefined })
    return parts
  }
}

/** No white space lies outside of the Basic Multilingual Plane. */
const space = /^\p{White_Space}$/u

function spaceStart(text: string, least: number, end: number): number {
  let at = end
  while (at > least && space.test(text.charAt(at - 1))) at--
  return at
}

function spaceEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && space.test(text.charAt(at))) at++
  return at
}
