import type { Page, Section, Span } from './document.ts'
import { cutsSurrogatePair } from './surrogates.ts'

/** @throws RangeError when sections lie outside the text, out of order, or overlap without nesting */
export function checkSections(sections: readonly Section[], text: string): void {
  const open: Section[] = []
  let previous = 0
  for (const section of sections) {
    const { start, end, title, level } = section
    const label = `"${title}" [${start}, ${end})`
    checkSpan(section, text, `a section`, label)
    if (!Number.isInteger(level) || level < 1)
      throw new RangeError(`Cannot use a section as its level is not 1 or more: ${label}, ${level}`)
    if (start < previous) throw new RangeError(`Cannot use a section as it starts before the one in front of it (${previous}): ${label}`)
    while (open.length > 0 && open.at(-1)!.end <= start) open.pop()
    const parent = open.at(-1)
    if (parent && end > parent.end) {
      throw new RangeError(
        `Cannot use a section as it overlaps "${parent.title}" [${parent.start}, ${parent.end}) without nesting: ${label}`,
      )
    }
    open.push(section)
    previous = start
  }
}

/** @throws RangeError when pages lie outside the text, overlap, or are out of order */
export function checkPages(pages: readonly Page[], text: string): void {
  let previous = 0
  for (const page of pages) {
    const label = `${page.number} [${page.start}, ${page.end})`
    checkSpan(page, text, 'a page', label)
    if (page.start < previous)
      throw new RangeError(`Cannot use a page as it starts before the end of the one in front of it (${previous}): ${label}`)
    for (const box of page.boxes ?? []) checkSpan(box, text, 'a line of a page', `${label}, line [${box.start}, ${box.end})`)
    previous = page.end
  }
}

/** @throws RangeError when spans lie outside the text or are not in order of start */
export function checkMarks(marks: readonly (Span & { readonly type: string })[], text: string): void {
  let previous = 0
  for (const mark of marks) {
    const label = `${mark.type} [${mark.start}, ${mark.end})`
    checkSpan(mark, text, 'a mark', label)
    if (mark.start < previous) throw new RangeError(`Cannot use a mark as it starts before the one in front of it (${previous}): ${label}`)
    previous = mark.start
  }
}

function checkSpan({ start, end }: Span, text: string, what: string, label: string): void {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > text.length) {
    throw new RangeError(`Cannot use ${what} as it lies outside the text of ${text.length}: ${label}`)
  }
  if (cutsSurrogatePair(text, start) || cutsSurrogatePair(text, end)) {
    throw new RangeError(`Cannot use ${what} as it cuts a surrogate pair: ${label}`)
  }
}
