import type { LoadedText } from './loaded-text.ts'
import { loadSlack, slackMessages } from './load-slack.ts'

/** A longer line is set in lines, as nobody can point at a place in it. */
const LONGEST_LINE = 2_000

/** What a JSON text is read as. */
export interface LoadedJson extends LoadedText {
  readonly format: 'json' | 'jsonl' | 'chat'
}

/**
 * Reads JSON as it is, or set in lines where it is one long line; JSON Lines as they are; a Slack export as a chat. Undefined where the text
 * is none of them.
 */
export function loadJson(text: string): LoadedJson | undefined {
  const value = parse(text)
  if (value !== undefined) {
    const messages = slackMessages(value.value)
    if (messages) return { ...loadSlack(messages), format: 'chat' }
    return { text: hasLongLine(text) ? inLines(text, value.value) : text, sections: [], format: 'json' }
  }
  return isJsonLines(text) ? { text, sections: [], marks: [], format: 'jsonl' } : undefined
}

/** Objects or lists only: a number or a word is a text. */
function parse(text: string): { readonly value: unknown } | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function isJsonLines(text: string): boolean {
  const lines = text.split('\n', 12).filter((line) => line.trim() !== '')
  // The twelfth may be the whole rest.
  const looked = lines.slice(0, 10)
  return looked.length > 1 && looked.every((line) => parse(line) !== undefined)
}

function hasLongLine(text: string): boolean {
  let start = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
    if (at - start > LONGEST_LINE) return true
    start = at + 1
  }
  return text.length - start > LONGEST_LINE
}

function inLines(text: string, value: unknown): string {
  try {
    return JSON.stringify(value, null, 2)
  } catch {
    // Nested so deep that it cannot be written; it stays as it is.
    return text
  }
}
