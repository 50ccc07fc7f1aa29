/** Reads the plain-line replies that agents ask for, and the many shapes in which weak models give them. */

export interface ParsedQuote {
  /** The id that the reply gave it, such as `q4`. */
  readonly label?: string
  readonly text: string
}

export interface ParsedReply {
  /** The prose: notes of a worker, answer of a reader. */
  readonly notes: string
  readonly quotes: readonly ParsedQuote[]
  /** Whether the reply said that there is nothing new. */
  readonly nothingNew: boolean
}

const PROSE_LABEL = /^(?:(?:updated|new|revised|my|final)\s+)?(?:notes?|summary|answer|merged notes)\s*:\s*/i
const QUOTE_LABEL = /^(?:new\s+)?(?:direct\s+)?(?:quot(?:e|ation)s?|evidence|citations?)\s*(?:#?\s*[[(]?\s*q?(\d+)\s*[\])]?)?\s*:\s*/i
const BARE_QUOTE = /^[[(]?q(\d+)[\])]?\s*[:.-]?\s*(?=["'“”„«‘])/i
const NOTHING = /^(?:nothing\s+new|nothing|none|n\/a|no\s+(?:new\s+)?(?:information|quotes?|quotations?|notes?|evidence)|-)\s*[.!]?$/i
const OPENING = '"“”„«‘\'`'
const CLOSING = '"“”»«’\'`'

/** Parses a reply. Nothing is ever thrown: what cannot be read as a quotation is prose. */
export function parseReply(reply: string): ParsedReply {
  const text = unfence(reply.replace(/<think>[\s\S]*?(?:<\/think>|$)/gi, '')).trim()
  return parseJson(text) ?? parseLines(text)
}

function parseLines(text: string): ParsedReply {
  const prose: string[] = []
  const quotes: ParsedQuote[] = []
  let nothingNew = false
  let section: 'prose' | 'quotes' = 'prose'
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const line = unadorned(lines[at] ?? '')
    const label = QUOTE_LABEL.exec(line) ?? BARE_QUOTE.exec(line)
    const isQuote = label !== null || (section === 'quotes' && line !== '' && !PROSE_LABEL.test(line))
    if (!isQuote) {
      if (PROSE_LABEL.test(line)) section = 'prose'
      const words = line.replace(PROSE_LABEL, '')
      if (NOTHING.test(words)) nothingNew = true
      else prose.push(words)
      continue
    }
    if (label !== null) section = 'quotes'
    let words = label === null ? line : line.slice(label[0].length)
    while (isOpen(words) && at + 1 < lines.length && !startsPart(lines[at + 1] ?? '')) words += `\n${lines[++at]}`
    const quote = quoteOf(words, label?.[1])
    if (quote !== undefined) quotes.push(quote)
  }
  return {
    notes: prose
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
    quotes,
    nothingNew,
  }
}

/** Without bullet, numbering, heading marks and bold around a label. */
function unadorned(line: string): string {
  const bare = line.trim().replace(/^(?:[-*•>]\s+|\d+[.)]\s+|#{1,6}\s+)+/, '')
  return bare.replace(/^(?:\*\*|__)([^*_]{1,30}?)(?:(:)\s*(?:\*\*|__)|(?:\*\*|__)\s*(:))/, '$1:').trim()
}

function isOpen(words: string): boolean {
  const first = words[0] ?? ''
  if (!'"“„«'.includes(first) || first === '') return false
  return !/["“”»]\s*(?:[[(]q?\d+[\])])?[.,;]?\s*$/.test(words.slice(1))
}

function startsPart(line: string): boolean {
  const bare = unadorned(line)
  return bare === '' || PROSE_LABEL.test(bare) || QUOTE_LABEL.test(bare) || BARE_QUOTE.test(bare)
}

function quoteOf(words: string, number: string | undefined): ParsedQuote | undefined {
  const own = /^\s*[[(]q?(\d+)[\])]\s*:?\s*/i.exec(words) ?? /\s*[[(]q(\d+)[\])]\s*\.?\s*$/i.exec(words)
  const text = unquoted(own === null ? words : words.replace(own[0], ''))
  if (text === '' || NOTHING.test(text)) return undefined
  const id = number ?? own?.[1]
  return id === undefined ? { text } : { label: `q${Number(id)}`, text }
}

function unquoted(words: string): string {
  let text = words.trim()
  const closed = /^(["“”„«‘'`])([\s\S]*?)(["“”»’'`])[.,;]?$/.exec(text)
  if (closed !== null) return (closed[2] ?? '').trim()
  if (OPENING.includes(text[0] ?? ' ')) text = text.slice(1)
  if (CLOSING.includes(text.at(-1) ?? ' ') && !/\w['’]$/.test(text)) text = text.slice(0, -1)
  return text.trim()
}

function unfence(text: string): string {
  return text
    .replace(/^\s*```[\w-]*\s*$/gm, '')
    .replace(/^\s*```(?:json|text)?\s*(?=\{)/i, '')
    .replace(/```\s*$/, '')
}

function parseJson(text: string): ParsedReply | undefined {
  if (!text.startsWith('{')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text.slice(0, text.lastIndexOf('}') + 1))
  } catch {
    return undefined
  }
  const fields = Object.entries(value as object).map(([name, field]) => [name.toLowerCase(), field as unknown] as const)
  const prose = fields.filter(([name]) => /^(?:notes?|summary|answer|text)$/.test(name)).map(([, field]) => proseOf(field))
  const quotes = fields
    .filter(([name]) => /^(?:quot(?:e|ation)s?|evidence|citations?|findings)$/.test(name))
    .flatMap(([, field]) => quotesIn(field))
  const notes = prose.filter((words) => words !== '' && !NOTHING.test(words)).join('\n')
  return { notes, quotes, nothingNew: notes === '' && prose.some((words) => NOTHING.test(words)) }
}

function proseOf(field: unknown): string {
  if (typeof field === 'string') return field.trim()
  return Array.isArray(field)
    ? field
        .filter((item) => typeof item === 'string')
        .join('\n')
        .trim()
    : ''
}

function quotesIn(field: unknown): ParsedQuote[] {
  const items: unknown[] = Array.isArray(field) ? field : [field]
  return items.flatMap((item) => {
    if (typeof item === 'string') return quoteOf(item, undefined) ?? []
    if (typeof item !== 'object' || item === null) return []
    const found = Object.entries(item).find(
      ([name, value]) => /^(?:quot(?:e|ation)|text|evidence)$/i.test(name) && typeof value === 'string',
    )
    const id = Object.entries(item).find(([name]) => /^(?:id|label)$/i.test(name))?.[1] as unknown
    return found === undefined ? [] : (quoteOf(found[1] as string, /\d+/.exec(String(id))?.[0]) ?? [])
  })
}
