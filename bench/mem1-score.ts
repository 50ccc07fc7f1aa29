/** Scores of several questions asked at once, as MEM1's scorer gives them (arXiv 2506.15841, section 4 and released code). */

/** Lower case, marks as spaces, single spaces. */
export function normalise(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

export interface AnswerScore {
  /** Answers that are in their lists of gold answers: out of the number of questions. */
  readonly em: number
  /** Sum over the questions of the best F1 over sets of words. */
  readonly f1: number
  /** Whether any answer holds its first gold answer, or is held by it: only such runs count for the peak. */
  readonly matched: boolean
}

/** A wrong number of answers scores nothing. */
export function scoreAnswers(answers: readonly string[], golds: readonly (readonly string[])[]): AnswerScore {
  if (answers.length !== golds.length) return { em: 0, f1: 0, matched: false }
  const pairs = answers.map((answer, at) => ({ answer: normalise(answer), golds: (golds[at] ?? []).map(normalise) }))
  return {
    em: pairs.filter(({ answer, golds: own }) => own.includes(answer)).length,
    f1: pairs.reduce((sum, { answer, golds: own }) => sum + Math.max(0, ...own.map((gold) => setF1(answer, gold))), 0),
    matched: pairs.some(({ answer, golds: [gold = ''] }) => answer !== '' && (answer.includes(gold) || gold.includes(answer))),
  }
}

function setF1(a: string, b: string): number {
  const [left, right] = [new Set(a.split(' ').filter(Boolean)), new Set(b.split(' ').filter(Boolean))]
  const shared = [...left].filter((word) => right.has(word)).length
  return shared === 0 ? 0 : (2 * shared) / (left.size + right.size)
}

/** One call: what it saw behind the task, and what it said. */
export interface Segment {
  readonly prefix: string
  readonly reply: string
}

/** Most tokens of what a call saw behind the task with what it said. The task itself is left out, as in the paper. */
export function peakTokens(segments: readonly Segment[], count: (text: string) => number): number {
  return Math.max(0, ...segments.map(({ prefix, reply }) => count(prefix) + count(reply)))
}

/** Sum over what was written of (tokens before it + half of its own) times its own: what attention takes, roughly. A state counts once. */
export function dependencyLength(segments: readonly Segment[], count: (text: string) => number): number {
  return segments.reduce((sum, { prefix, reply }) => {
    const length = count(reply)
    return sum + (count(prefix) + Math.floor(length / 2)) * length
  }, 0)
}
