import { cutsSurrogatePair } from '../surrogates.ts'

/** A class, a function or the like around a piece of code. */
export interface Scope {
  /** Where its signature begins. */
  readonly start: number
  /** Where its body begins. */
  readonly body: number
  /** The scope around it. */
  readonly outer: Scope | undefined
}

/** Scopes that a context names, the innermost ones: nests of thousands would fill the window. */
const MOST_SCOPES = 8
/** Longest signature, in UTF-16 code units; it is cut to be read, not to be parsed. */
const LONGEST_SIGNATURE = 200

/** The signatures of the scopes around an offset that begin before it, a line each, the outermost first. */
export function signaturesOf(text: string, scope: Scope | undefined, offset: number): string[] {
  const lines: string[] = []
  for (let at = scope; at && lines.length < MOST_SCOPES; at = at.outer) if (at.start < offset) lines.unshift(signatureOf(text, at))
  return lines.filter((line) => line !== '')
}

function signatureOf(text: string, { start, body }: Scope): string {
  const end = Math.min(body, start + 4 * LONGEST_SIGNATURE)
  const line = text
    .slice(start, cutsSurrogatePair(text, end) ? end - 1 : end)
    .replace(/\s+/g, ' ')
    .replace(/[\s{:]+$/, '')
    .trim()
  if (line.length <= LONGEST_SIGNATURE) return line
  return `${line.slice(0, cutsSurrogatePair(line, LONGEST_SIGNATURE - 1) ? LONGEST_SIGNATURE - 2 : LONGEST_SIGNATURE - 1)}…`
}
