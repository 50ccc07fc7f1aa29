/**
 * SCM's assembly (arXiv 2304.13343 and its released code): candidates are shortened from the worst up, and left out only where shortening
 * is not enough. The released loop never ends once all candidates are summaries and still do not fit; here the lowest leave until they do.
 */
import type { TurnForm } from '../agents/index.ts'
import type { MemoryRecord } from '../memory/index.ts'

/** A turn that was activated. */
export interface Candidate {
  readonly record: MemoryRecord
  readonly score: number
  /** Tokens of its own words. */
  readonly rawTokens: number
  /** Tokens of its summary; undefined where it has none that is shorter. */
  readonly summaryTokens: number | undefined
  /** Whether its summary holds every word of the message that its text holds; one that does not is worth little in the turn's place. */
  readonly summaryHolds?: boolean
}

export interface PlacedCandidate {
  readonly candidate: Candidate
  readonly form: TurnForm
  readonly why: string
}

/** Tokens of the budget for each candidate, by default: those of a short turn. */
const TOKENS_EACH = 20
const LEAST_CANDIDATES = 10
const MOST_CANDIDATES = 100

/** How many turns are activated for a budget: the paper's most (10), more where the budget may hold more. */
export function candidatesFor(budget: number): number {
  return Math.min(MOST_CANDIDATES, Math.max(LEAST_CANDIDATES, Math.ceil(budget / TOKENS_EACH)))
}

interface Placing {
  readonly candidate: Candidate
  readonly rank: number
  /** What the judgement allows at most; undefined without one. */
  readonly verdict: TurnForm | undefined
  form: TurnForm
  why: string
}

/**
 * Brings candidates under a budget.
 *
 * @param candidates best first
 * @param room most tokens of all of them together
 * @param verdicts one a candidate, in order, where they were judged; the best candidate is whole whatever they say
 */
export function assemble(candidates: readonly Candidate[], room: number, verdicts?: readonly TurnForm[]): PlacedCandidate[] {
  const total = candidates.length
  const placings = candidates.map((candidate, rank): Placing => {
    const verdict = rank === 0 ? undefined : verdicts?.[rank]
    return { candidate, rank, verdict, form: verdict ?? 'raw', why: whyOf(verdict, rank, total) }
  })
  shorten(placings, room)
  drop(placings, room)
  refill(placings, room)
  return placings.map(({ candidate, form, why }) => ({ candidate, form, why }))
}

function whyOf(verdict: TurnForm | undefined, rank: number, total: number): string {
  if (verdict === 'dropped') return 'judged not to help'
  const place = `nearest turn ${rank + 1} of ${total}`
  if (verdict === undefined) return place
  return verdict === 'summary' ? `${place}; its summary was judged to be enough` : `${place}; its own words were judged to be needed`
}

function tokensOf({ candidate, form }: Pick<Placing, 'candidate' | 'form'>): number {
  if (form === 'dropped') return 0
  return form === 'raw' ? candidate.rawTokens : (candidate.summaryTokens ?? candidate.rawTokens)
}

function used(placings: readonly Placing[]): number {
  return placings.reduce((sum, placing) => sum + tokensOf(placing), 0)
}

/** From the worst up, whole turns become their summaries until all fit, but for those whose summary lost what the message asks for. */
function shorten(placings: readonly Placing[], room: number): void {
  for (const placing of placings.toReversed()) {
    if (used(placings) <= room) return
    if (placing.candidate.summaryHolds !== false) shortenOne(placing)
  }
}

const SHORTENED = '; shortened to fit'

function shortenOne(placing: Placing): void {
  if (placing.form !== 'raw' || placing.candidate.summaryTokens === undefined) return
  placing.form = 'summary'
  placing.why += SHORTENED
}

/**
 * What is too long on its own becomes its summary, or leaves, first, as no other could make room for it; then from the worst up until all fit: a
 * good match stays whole before poor ones stay at all.
 */
function drop(placings: readonly Placing[], room: number): void {
  for (const placing of placings) {
    if (tokensOf(placing) > room) shortenOne(placing)
    if (tokensOf(placing) > room) leave(placing, 'longer than the room that is left')
  }
  for (const yielding of [shortenOrLeave, (placing: Placing) => leave(placing, NO_ROOM)]) {
    for (const placing of placings.toReversed()) {
      if (used(placings) <= room) return
      if (placing.form !== 'dropped') yielding(placing)
    }
  }
}

const NO_ROOM = 'no room left'

function shortenOrLeave(placing: Placing): void {
  if (placing.form === 'raw' && placing.candidate.summaryTokens !== undefined) shortenOne(placing)
  else leave(placing, NO_ROOM)
}

function leave(placing: Placing, why: string): void {
  placing.form = 'dropped'
  placing.why += `; ${why}`
}

/** What left in steps too large: from the best down, what fits the rest of the room comes back as long as the judgement allows. */
function refill(placings: readonly Placing[], room: number): void {
  let left = room - used(placings)
  for (const placing of placings) {
    if (placing.verdict === 'dropped') continue
    const before = tokensOf(placing)
    const form = (['raw', 'summary'] as const).find(
      (wanted) => allows(placing, wanted) && tokensOf({ ...placing, form: wanted }) <= left + before,
    )
    if (form === undefined || tokensOf({ ...placing, form }) <= before) continue
    left += before - tokensOf({ ...placing, form })
    placing.form = form
    placing.why = `${whyOf(placing.verdict, placing.rank, placings.length)}${form === 'raw' ? '' : SHORTENED}`
  }
}

function allows({ candidate, verdict }: Placing, form: 'raw' | 'summary'): boolean {
  return form === 'raw' ? verdict !== 'summary' : candidate.summaryTokens !== undefined
}
