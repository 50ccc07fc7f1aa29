import type { PathResult } from './manager.ts'

export interface Vote {
  /** Index into the paths. */
  readonly chosen: number
  /** Votes for each normalised answer; the empty answer stands for `not-found`. */
  readonly counts: ReadonlyMap<string, number>
}

/**
 * Majority over the paths' answers (Chain of Agents, section 5.6), for short or closed answers only: on free text no two agree. Of answers with equal
 * votes the one whose paths rest on more quotations wins, then the one that came first; of its paths, the one with most quotations.
 *
 * @throws RangeError when there are no paths
 */
export function vote(paths: readonly PathResult[]): Vote {
  if (paths.length === 0) throw new RangeError('Cannot vote as there must be at least one path: 0')
  const answers = paths.map(ballotOf)
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  const evidence = new Map<string, number>()
  paths.forEach((path, at) => evidence.set(answers[at] ?? '', Math.max(evidence.get(answers[at] ?? '') ?? 0, path.output.quoteIds.length)))
  let chosen = 0
  for (let at = 1; at < paths.length; at++) if (beats(at, chosen)) chosen = at
  return { chosen, counts }

  function beats(a: number, b: number): boolean {
    const [one, other] = [answers[a] ?? '', answers[b] ?? '']
    const votes = (counts.get(one) ?? 0) - (counts.get(other) ?? 0)
    const weight = (evidence.get(one) ?? 0) - (evidence.get(other) ?? 0)
    if (one !== other) return votes > 0 || (votes === 0 && weight > 0)
    return (paths[a]?.output.quoteIds.length ?? 0) > (paths[b]?.output.quoteIds.length ?? 0)
  }
}

function ballotOf({ output }: PathResult): string {
  return output.status === 'not-found' ? '' : normaliseAnswer(output.text)
}

/** Lower case, without signs, articles and extra white space, as SQuAD's metric compares answers. */
export function normaliseAnswer(answer: string): string {
  const words = answer
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, '')
    .split(/\s+/)
  return words.filter((word) => word !== '' && word !== 'a' && word !== 'an' && word !== 'the').join(' ')
}
