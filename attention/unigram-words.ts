import type { PieceTrie } from './piece-trie.ts'

/** What a step of the best path is. */
export interface UnigramPieces {
  readonly trie: PieceTrie
  /** log P by id. */
  readonly scoreOf: (id: number) => number
  /** log P of a character that is no piece. */
  readonly unknownScore: number
}

/** One piece of a text, or a character that is none. */
export interface UnigramStep {
  /** -1 for a character that is no piece. */
  readonly id: number
  readonly text: string
}

/**
 * The most likely way to write `text` in pieces, by Viterbi's algorithm (Kudo, "Subword Regularization", 2018, section 3.2): steps as many
 * as characters, times the length of the longest piece. Of equally likely ways it takes the one found first.
 */
export function bestPieces(text: string, { trie, scoreOf, unknownScore }: UnigramPieces): UnigramStep[] {
  const scores = new Float64Array(text.length + 1).fill(-Infinity)
  const starts = new Int32Array(text.length + 1)
  const ids = new Int32Array(text.length + 1).fill(-1)
  scores[0] = 0

  function reach(start: number, end: number, id: number, score: number): void {
    const total = (scores[start] ?? 0) + score
    if (!(total > (scores[end] ?? 0))) return
    scores[end] = total
    starts[end] = start
    ids[end] = id
  }

  for (let at = 0; at < text.length;) {
    const start = at
    const next = at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    let isKnown = false
    trie.match(text, start, (id, end) => {
      isKnown ||= end === next
      reach(start, end, id, scoreOf(id))
    })
    if (!isKnown) reach(start, next, -1, unknownScore)
    at = next
  }
  return stepsBack(text, starts, ids)
}

function stepsBack(text: string, starts: Int32Array, ids: Int32Array): UnigramStep[] {
  const steps: UnigramStep[] = []
  for (let end = text.length; end > 0;) {
    const start = starts[end] ?? 0
    steps.push({ id: ids[end] ?? -1, text: text.slice(start, end) })
    end = start
  }
  return steps.toReversed()
}
