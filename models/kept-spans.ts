import type { KeptSpan, KeptToken } from './homer-model.ts'

/** Tokens in the order of the text as spans: those that follow one another stand together. */
export function keptSpans(tokens: readonly KeptToken[]): KeptSpan[] {
  const spans: KeptSpan[] = []
  for (const { index, start, end, score } of tokens) {
    const last = spans.at(-1)
    if (last === undefined || last.to !== index) spans.push({ from: index, to: index + 1, start, end, score })
    else spans[spans.length - 1] = { ...last, to: index + 1, end, score: Math.max(last.score, score) }
  }
  return spans
}
