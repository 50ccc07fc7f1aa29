import { isMarkdownName } from '../find-sections.ts'

/** Each is a construct of Markdown that hardly stands in a plain text; comments of scripts look like headings, so that one alone says nothing. */
const SIGNS: readonly RegExp[] = [
  /^#{1,6} \S/m,
  /^ {0,3}(?:```|~~~)\w*[ \t]*$/m,
  /\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)/,
  /^ {0,3}\|.{0,500}\|[ \t]*\r?\n {0,3}\|[ :|-]{1,500}\|[ \t]*$/m,
]
const LEAST_SIGNS = 2
/** Code units that are looked at. */
const LOOKED_AT = 20_000

/** Whether a text is Markdown: by its name; where that leaves it open, by two kinds of its signs. */
export function isMarkdown(text: string, name: string): boolean {
  if (isMarkdownName(name)) return true
  if (/\.[a-z0-9]+$/i.test(name) && !/\.te?xt$/i.test(name)) return false
  const head = text.slice(0, LOOKED_AT)
  return SIGNS.filter((sign) => sign.test(head)).length >= LEAST_SIGNS
}
