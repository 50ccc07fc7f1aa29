/** Whether quotations stand on the page that is named, by what another program reads of that page. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Box, Document } from '../chunkers/index.ts'

export interface PageCheck {
  /** Quotations on the page that is named. */
  readonly onPage: number
  /** On a page beside it: a fault. */
  readonly elsewhere: number
  /** On neither: the two programs read the line differently. */
  readonly unseen: number
}

const MOST_PAGES = 30
/** Letters of a line that is quoted: shorter ones stand on many pages. */
const LEAST_LETTERS = 20

/** Looks for the longest line of up to 30 pages in what `pdftotext` gives of each; all zero where it is not installed. */
export async function pagesOf(document: Document, path: string): Promise<PageCheck> {
  const counts = { onPage: 0, elsewhere: 0, unseen: 0 }
  if (!(await isInstalled())) return counts
  const { pages } = document
  const step = Math.max(1, Math.ceil(pages.length / MOST_PAGES))
  for (let at = Math.floor(step / 2); at < pages.length; at += step) {
    const quote = longestLine(document, pages[at]!.boxes ?? [])
    if (quote === undefined) continue
    const number = document.locate(quote.start).page ?? 0
    const wanted = letters(document.slice(quote.start, quote.end))
    const standsOn = async (page: number): Promise<boolean> =>
      page > 0 && page <= pages.length && (await pageLetters(path, page)).includes(wanted)
    if (await standsOn(number)) counts.onPage++
    else if ((await standsOn(number - 1)) || (await standsOn(number + 1))) counts.elsewhere++
    else counts.unseen++
  }
  return counts
}

function longestLine(document: Document, boxes: readonly Box[]): Box | undefined {
  const lengthOf = ({ start, end }: Box): number => letters(document.slice(start, end)).length
  const longest = boxes.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0]
  return longest && lengthOf(longest) >= LEAST_LETTERS ? longest : undefined
}

function isInstalled(): Promise<boolean> {
  return promisify(execFile)('pdftotext', ['-v']).then(
    () => true,
    () => false,
  )
}

async function pageLetters(path: string, page: number): Promise<string> {
  const { stdout } = await promisify(execFile)('pdftotext', ['-f', `${page}`, '-l', `${page}`, '-enc', 'UTF-8', path, '-'], {
    maxBuffer: 1 << 26,
  })
  return letters(stdout)
}

/** Without what programs set differently: spaces, marks, forms of letters. */
function letters(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}
