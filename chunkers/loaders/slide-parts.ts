import { parseXml } from './parse-xml.ts'

/** A shape or a table of a slide. */
export interface SlidePart {
  /** Kind of the placeholder that it fills: `title`, `body`, `sldNum`; undefined for a shape of its own. */
  readonly placeholder: string | undefined
  /** Paragraphs that hold text. */
  readonly paragraphs: readonly string[]
  /** Rows of a table, cell by cell. */
  readonly rows: readonly (readonly string[])[]
}

interface OpenPart {
  placeholder: string | undefined
  paragraphs: string[]
  rows: string[][]
}

/**
 * The shapes of a slide that hold text, in their order (PresentationML `p:sp`, `p:graphicFrame`; DrawingML `a:p`, `a:t`, `a:tbl`), or the nodes of
 * a diagram (`dgm:pt`). What stands for older readers beside its newer form (`mc:Fallback`) is left out.
 */
export function slideParts(bytes: Uint8Array, where: { readonly source: string; readonly part: string }): SlidePart[] {
  const parts: OpenPart[] = []
  let current: OpenPart | undefined
  let paragraph: string | undefined
  let cell: string[] | undefined
  let inText = false
  let fallbacks = 0
  const inDiagram = where.part.includes('/diagrams/')
  const paragraphEnds = (): void => {
    const text = paragraph?.trim() ?? ''
    paragraph = undefined
    if (text !== '') (cell ?? current?.paragraphs)?.push(text)
  }
  parseXml(bytes, where, {
    open(name, attributes) {
      if (name === 'Fallback') fallbacks++
      if (fallbacks > 0) return
      if (name === 'sp' || name === 'graphicFrame' || (inDiagram && name === 'pt'))
        parts.push((current = { placeholder: undefined, paragraphs: [], rows: [] }))
      else if (name === 'ph' && current) current.placeholder = attributes['type'] ?? 'body'
      else if (name === 'tr') current?.rows.push([])
      else if (name === 'tc') cell = []
      else if (name === 'p') paragraph = ''
      else if (name === 't') inText = true
      else if (name === 'br' && paragraph !== undefined) paragraph += '\n'
    },
    close(name) {
      if (name === 'Fallback') fallbacks--
      if (fallbacks > 0) return
      if (name === 'p') paragraphEnds()
      else if (name === 't') inText = false
      else if (name === 'tc') {
        current?.rows.at(-1)?.push((cell ?? []).join(' ').replaceAll('\n', ' '))
        cell = undefined
      }
    },
    text(text) {
      if (inText && paragraph !== undefined) paragraph += text
    },
  })
  return parts.filter(({ paragraphs, rows }) => paragraphs.length > 0 || rows.length > 0)
}
