import { graphemeBorder } from '../graphemes.ts'
import { isSpace } from '../paragraphs.ts'
import type { Scope } from './scope.ts'

/** A place where code may be cut. Between two borders lies a unit, which is cut only where it is above the budget by itself. */
export interface Border {
  readonly at: number
  /** How bad a cut is: how deep the place lies, and far more where it parts what belongs together. */
  readonly rank: number
  /** What the place lies in. */
  readonly scope: Scope | undefined
}

/** Added to the rank of a border between a comment and what it speaks of, a signature and its body, or within a line. */
export const GLUED = 1e6

/** Collects borders that come in order, the first of them at 0; those that stand where one is already, or in a grapheme, are left out. */
export interface BorderList {
  readonly borders: readonly Border[]
  add(border: Border): void
}

export function createBorderList(text: string): BorderList {
  const borders: Border[] = [{ at: 0, rank: 0, scope: undefined }]
  return {
    borders,
    add(border) {
      const last = borders.at(-1)!.at
      if (border.at > last && border.at < text.length && graphemeBorder(text, last, border.at) === border.at) borders.push(border)
    },
  }
}

/** Line ends in the white space in front of an offset: 0 where something stands before it on its line. The beginning counts as two. */
export function linesBefore(text: string, offset: number): number {
  let lines = 0
  for (let at = offset - 1; lines < 2; at--) {
    if (at < 0) return 2
    const unit = text.charCodeAt(at)
    if (!isSpace(unit)) break
    if (unit === 10) lines++
  }
  return lines
}
