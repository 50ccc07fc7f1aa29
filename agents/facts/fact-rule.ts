import type { Fact } from '../../memory/index.ts'
import type { FoundDate } from './find-dates.ts'
import type { Clause } from './read-clauses.ts'

/** A fact as a rule finds it, and when it is true where the words say so; milliseconds since 1970. */
export type FactDraft = Fact & { readonly validFrom?: number; readonly validTo?: number }

export interface RuleContext {
  /** Dates in a text, grounded on when it was said. */
  dates(text: string, direction: 'future' | 'past'): FoundDate[]
}

/** What one form of predicate says. */
export interface FactRule {
  /** Matches from the start of a predicate. */
  readonly pattern: RegExp
  /** Whether it also reads what was said of the past; otherwise such clauses are left out. */
  readonly past?: boolean
  read(match: readonly (string | undefined)[], clause: Clause, context: RuleContext): readonly FactDraft[]
}

/** A fact about the clause's subject, denied where the clause is; none where there is no value. */
export function says(clause: Clause, attribute: string, value: string | undefined, rest: Partial<FactDraft> = {}): FactDraft[] {
  if (value === undefined || value === '') return []
  return [{ subject: clause.subject, attribute, value, ...(clause.negated && { negated: true }), ...rest }]
}

/** What was so: only that it is so no longer ("used to") tells of today. */
export function isOver({ past, negated }: Clause): boolean {
  return past && !negated
}

/** When it began: from "since 2019", "last month" and the like. */
export function validSince({ predicate, negated }: Clause, { dates }: RuleContext): Partial<FactDraft> {
  const found = dates(predicate.replace(/\bsince\b/gi, 'in'), 'past').at(-1)
  const [today] = dates('today', 'past')
  return found === undefined || today === undefined || negated || found.from > today.from ? {} : { validFrom: found.from }
}
