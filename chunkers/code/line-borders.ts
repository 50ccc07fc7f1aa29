import { isSpace, textLines } from '../paragraphs.ts'
import type { Border } from './borders.ts'
import type { Scope } from './scope.ts'

/** Width of a tab, in columns. */
const TAB = 4
/** Deeper lines are as good as these: a border after a blank line is always better than one without. */
const DEEPEST = 1_000

/**
 * The lines of a span as borders, the first left out: those after a blank line are best, then those that are indented least. Where no syntax
 * tree is to be had, this is how code shows its parts.
 */
export function* lineBorders(text: string, { start, end, rank = 0, scope }: LineBordersOptions): Generator<Border> {
  let afterBlank = false
  for (const line of textLines(text.slice(start, end))) {
    let at = line.start
    let columns = 0
    for (; at < line.end && isSpace(text.charCodeAt(start + at)); at++) columns += text.charCodeAt(start + at) === 9 ? TAB : 1
    if (at === line.end) {
      afterBlank = true
      continue
    }
    if (start + at > start && line.start > 0) {
      yield { at: start + at, rank: rank + Math.min(DEEPEST, columns) + (afterBlank ? 0 : DEEPEST), scope }
    }
    afterBlank = false
  }
}

interface LineBordersOptions {
  readonly start: number
  readonly end: number
  /** Of the span itself. */
  readonly rank?: number
  readonly scope: Scope | undefined
}
