import { SaxesParser } from 'saxes'
import { damaged, messageOf, tooLarge } from './refusals.ts'

/** What is told of a piece of XML, in order. Names of elements come without their prefix, names of attributes as they stand. */
export interface XmlEvents {
  open?(name: string, attributes: Readonly<Record<string, string>>): void
  close?(name: string): void
  text?(text: string): void
}

/** Deeper nesting is refused; office files stay under fifty. */
const DEEPEST = 1_000
/** Code units that the parser is handed at once. */
const PART = 1 << 16

/**
 * Reads XML as events. Entities of a document type are neither expanded nor fetched: one that is used makes the file damaged.
 *
 * @throws DocumentError `damaged`, with line and column; `too-large` when it nests too deep
 */
export function parseXml(bytes: Uint8Array, { source, part }: { readonly source: string; readonly part: string }, events: XmlEvents): void {
  const parser = new SaxesParser()
  let depth = 0
  parser.on('error', (cause) => {
    throw damaged(source, `its part ${part} is not valid XML (${messageOf(cause)})`, cause)
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (++depth > DEEPEST) throw tooLarge(source, `its part ${part} nests more than ${DEEPEST} deep`, 'Convert it to plain text first')
    events.open?.(localName(name), attributes)
  })
  parser.on('closetag', ({ name }) => {
    depth--
    events.close?.(localName(name))
  })
  const tell = (text: string): void => events.text?.(text)
  parser.on('text', tell)
  parser.on('cdata', tell)
  const text = decodeXml(bytes)
  for (let at = 0; at < text.length; at += PART) parser.write(text.slice(at, at + PART))
  parser.close()
}

/** Decodes by a byte order mark of UTF-16, else as the text declares, else as UTF-8. */
export function decodeXml(bytes: Uint8Array): string {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
  return new TextDecoder(utf16 ?? declaredEncoding(bytes)).decode(bytes)
}

/** As UTF-16 was told by its mark, a declaration that can be read as ASCII is of another encoding. */
function declaredEncoding(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const declared = /^(?:\u00EF\u00BB\u00BF)?\s*<\?xml[^>]+encoding=["']([\w:-]+)/.exec(head)?.[1] ?? 'utf-8'
  if (/^utf-?16/i.test(declared)) return 'utf-8'
  try {
    return new TextDecoder(declared).encoding
  } catch {
    // A name that is not known; most of those files are UTF-8.
    return 'utf-8'
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** The `r:id` of an element, whatever its prefix: it refers to a relationship (ECMA-376, part 2). */
export function relationId(attributes: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(attributes).find(([name]) => /^[^:]+:id$/.test(name))?.[1]
}
