/** What of a document is indexed: its sentences, without its headings. */
import { type Document, type Passage, passages, type Section } from '../chunkers/index.ts'

/** UTF-8 bytes of a token: an estimate that does not depend on a model, so that one index serves all. Readers count exactly. */
const BYTES_PER_TOKEN = 5

/** Passages of a document in order. A heading is where a passage stands, not what it says: it is left to the section titles. */
export function passagesToIndex(document: Document): Passage[] {
  const sections = new Map(document.sections.map((section) => [section.start, section]))
  const cut = passages(document, { count: estimateTokens }).flatMap((passage) => withoutHeading(passage, sections.get(passage.start)))
  return cut.map(({ start, end, text, sections: titles }, index) => ({ index, start, end, text, sections: titles }))
}

function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}

function withoutHeading(passage: Passage, section: Section | undefined): Passage[] {
  if (section === undefined) return [passage]
  const length = headingLength(passage.text, section.title)
  const text = passage.text.slice(length).trimStart()
  return text === '' ? [] : [{ ...passage, start: passage.end - text.length, text }]
}

/** Code units of the title at the start of a text, whatever its white space and marks such as `#`; 0 when it is not there. */
function headingLength(text: string, title: string): number {
  const words = title.match(/\S+/g) ?? []
  let at = /^[#\s]*/.exec(text)?.[0].length ?? 0
  for (const word of words) {
    if (!text.startsWith(word, at)) return 0
    at += word.length
    at += /^\s*/.exec(text.slice(at, at + 16))?.[0].length ?? 0
  }
  return at
}
