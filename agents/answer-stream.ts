import { isRefusal } from './guards.ts'

/** Characters held back at least, and at most while no sentence has ended, until it is clear that an answer begins and not a refusal. */
const LEAST_HEAD = 80
const MOST_HEAD = 240

const LABEL = /^(?:\*\*|__)?(?:final\s+)?(?:answer|summary)\s*(?:\*\*|__)?\s*:\s*(?:\*\*|__)?\s*/i
const REFERENCE = /\s*[[(]\s*q\s?\d+(?:\s*[,;&]\s*q?\s?\d+|\s+and\s+q?\s?\d+)*\s*[\])]/gi
const QUOTE_LINES = /(?:^|\n)[ \t]*(?:[-*][ \t]*)?(?:\*\*)?quot(?:e|ation)s?[ \t]*(?:\[?q?\d+\]?)?[ \t]*(?:\*\*)?[ \t]*:[\s\S]*$/i
/** What may still become a reference or the label of a quotation. */
const OPEN_TAIL = /(?:\s*[[(][^\])]{0,60}|\n[^\n]{0,28}|\s+)$/

/** An answer's own words: without its label, its references and the QUOTE lines after it. */
export function answerText(reply: string): string {
  return reply.trimStart().replace(LABEL, '').replace(QUOTE_LINES, '').replace(REFERENCE, '').trim()
}

/** Passes an answer on as it is written. */
export interface AnswerStream {
  push(text: string): void
  /** Passes on what was held back of the whole reply, unless it is a refusal. */
  end(reply: string): void
}

/** What is passed on joins to `answerText` of the whole reply. A reply that begins as a refusal is held back to its end. */
export function answerStream(onText: (text: string) => void): AnswerStream {
  let reply = ''
  let passed = 0
  const pass = (text: string): void => {
    if (text.length <= passed) return
    onText(text.slice(passed))
    passed = text.length
  }
  return {
    push(text) {
      reply += text
      const safe = answerText(reply.replace(OPEN_TAIL, ''))
      if (passed > 0 || (isHead(safe) && !startsAsRefusal(safe))) pass(safe)
    },
    end(all) {
      const whole = answerText(all)
      if (!saysNotFound(whole)) pass(whole)
    },
  }
}

function isHead(text: string): boolean {
  return text.length >= MOST_HEAD || (text.length >= LEAST_HEAD && /[.!?]\s|\n/.test(text))
}

function startsAsRefusal(text: string): boolean {
  return saysNotFound(text) || isRefusal(text.split(/(?<=[.!?])\s/)[0] ?? text)
}

/** Whether an answer says that there is none. */
export function saysNotFound(answer: string): boolean {
  return /^\W*not[\s_-]?found\b/i.test(answer) || isRefusal(answer)
}
