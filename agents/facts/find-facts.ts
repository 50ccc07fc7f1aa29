/** Facts in a message, found by rules and without a model: few, and right. */
import type { Span } from '../../chunkers/index.ts'
import { factKey, isSameStatement, normaliseFactText } from '../../memory/index.ts'
import { belongingRules } from './belonging-rules.ts'
import type { FactDraft, FactRule, RuleContext } from './fact-rule.ts'
import { factText } from './fact-text.ts'
import { properName } from './fact-phrases.ts'
import { nationality } from './fact-words.ts'
import { findDates } from './find-dates.ts'
import { identityRules } from './identity-rules.ts'
import { plainSentences } from './plain-sentences.ts'
import { planRules } from './plan-rules.ts'
import { type Clause, readClauses } from './read-clauses.ts'
import { tasteRules } from './taste-rules.ts'
import { workRules } from './work-rules.ts'

/** A fact with the place of the words that say so. */
export type FoundFact = FactDraft & {
  /** As a sentence of its own. */
  readonly text: string
  /** Where the message says so; absent where the user only agreed to what the assistant asked. */
  readonly span?: Span
}

export interface FindFactsOptions {
  /** When it was said, milliseconds since 1970: "tomorrow" counts from there. Without it, dates are passed over. */
  readonly saidAt?: number
  /** What the assistant said just before: a user who answers "yes" to "You live in Ghent, right?" says so. */
  readonly before?: string
  /** Minutes that the user's clock is ahead of UTC; 0 by default. */
  readonly utcOffset?: number
}

const rules: readonly FactRule[] = [...planRules, ...identityRules, ...workRules, ...tasteRules, ...belongingRules]

/**
 * What a user's message says in English about the user and their people, home, work, tastes, belongings and dated plans, also what is so no
 * longer. Skips questions, greetings, quotations, code, tagged blocks, suppositions, wishes, reports of others, passing states and tasks.
 * Of two values for one thing, the later counts.
 *
 * @throws RangeError when `saidAt` is not a time
 */
export function findFacts(text: string, options: FindFactsOptions = {}): FoundFact[] {
  const { saidAt, before, utcOffset = 0 } = options
  const dates: RuleContext['dates'] = (words, direction) => (saidAt === undefined ? [] : findDates(words, { saidAt, direction, utcOffset }))
  const context: RuleContext = { dates }
  const found: FoundFact[] = []
  const confirmed = before !== undefined && isYes(text) ? confirmedQuestion(before) : undefined
  if (confirmed !== undefined) found.push(...readSentence(confirmed, context).map((fact) => told(fact)))
  const isEcho = echoTest(before)
  for (const span of plainSentences(text)) {
    const sentence = text.slice(span.start, span.end)
    if (isEcho(sentence)) continue
    const opens = span.end <= LONGEST_OPENING ? introduction(text.slice(0, span.end)) : []
    const facts = [...opens, ...readSentence(sentence, context)]
    found.push(...facts.map((fact) => told(fact, span)))
  }
  return latest(found)
}

function readSentence(sentence: string, context: RuleContext): FactDraft[] {
  return [...readClauses(sentence).flatMap((clause) => readClause(clause, context)), ...callName(sentence)]
}

function told(fact: FactDraft, span?: Span): FoundFact {
  return { ...fact, text: factText(fact), ...(span && { span }) }
}

/** Words of the assistant that the user sent back are no words of the user. */
function echoTest(before: string | undefined): (sentence: string) => boolean {
  if (before === undefined) return () => false
  const said = normaliseFactText(before)
  return (sentence) => {
    const words = normaliseFactText(sentence)
    return words.split(' ').length >= 4 && said.includes(words)
  }
}

/** The first rule that finds something decides; the name beside a relation counts where the clause says something of it. */
function readClause(clause: Clause, context: RuleContext): FactDraft[] {
  for (const { pattern, past = false, read } of rules) {
    const match = clause.past && !past ? null : pattern.exec(clause.predicate)
    const facts = match ? read(match, clause, context) : []
    if (facts.length === 0) continue
    const { subject, subjectName } = clause
    return subjectName === undefined || subject.includes(' ') ? [...facts] : [{ subject, attribute: 'name', value: subjectName }, ...facts]
  }
  return []
}

/** Characters within which a message may open with a greeting and a name. */
const LONGEST_OPENING = 200

const calling =
  /^(?:.* (?:but|and) )?(?:(?:well|ok|please|just|you (?:can|may)|but you can|everyone|everybody|people|my friends|friends|they|most people)[, ]+)*calls? me (\p{Lu}[\p{L}'-]+)(?:[.,!]|$| instead| for short)/iu
/** "Hi, I'm Tom": only after a greeting, as "I'm" stands before anything. */
const greeting =
  /^\s*(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|greetings)(?: (?:there|all|everyone))?[,!.\s]+(?:i'm|i am|this is|it's) (.+)$/isu

function callName(sentence: string): FactDraft[] {
  const [, name = ''] = calling.exec(sentence.replace(/[’‘]/g, "'")) ?? []
  return /^\p{Lu}/u.test(name) ? [{ subject: 'user', attribute: 'name', value: name }] : []
}

/** @param opening the message up to the end of a sentence */
function introduction(opening: string): FactDraft[] {
  const [, rest = ''] = greeting.exec(opening.replace(/[’‘]/g, "'")) ?? []
  const name = rest.includes('\n') || /[.!?]\s/.test(rest) ? undefined : properName(rest)
  if (name === undefined || name.split(' ').length > 3 || nationality.test(name)) return []
  if (!/^(?:[.!,]|$| and | from | here)/.test(rest.slice(name.length))) return []
  return [{ subject: 'user', attribute: 'name', value: name }]
}

function isYes(text: string): boolean {
  return /^\s*(?:(?:yes|yeah|yep|yup|correct|right|exactly|indeed|sure|true|absolutely)[,.! ]*)+(?:(?:that(?:'|’)?s|that is|you(?:'|’)?re|it is)? ?(?:right|correct|true|me|it|i do|i am)?)[.! ]*$/i.test(
    text,
  )
}

/** The one question that the assistant asked, as the user would state it. */
function confirmedQuestion(before: string): string | undefined {
  const questions = before.match(/[^.!?\n]+\?/g) ?? []
  const [question = ''] = questions
  if (questions.length !== 1 || !before.trim().endsWith('?')) return undefined
  const asked = question
    .trim()
    .replace(/[’‘]/g, "'")
    .replace(/^(?:(?:so|ok(?:ay)?|and|then|just to (?:check|confirm|be sure)|to confirm|let me check|noted)[,: ]+)+/i, '')
    .replace(
      /,? (?:right|correct|yes|is that (?:right|correct|so)|isn't (?:it|that right)|don't you|aren't you|do i have that right)\?$|\?$/i,
      '',
    )
  const stated = asked
    .replace(/^do you (?=\w)/i, 'you ')
    .replace(/^are you /i, 'you are ')
    .replace(/^is your (.+?) (\p{Lu}.*|\d.*)$/u, 'your $1 is $2')
    .replace(/^is your (.+?) (\p{Lu}.*|\d.*)$/iu, 'your $1 is $2')
  if (!/^(?:you\b(?! (?:would|could|should|want|need|like to|mean))|your\b)/i.test(stated)) return undefined
  return stated
    .replace(/\byou are\b|\byou're\b/gi, 'I am')
    .replace(/\byou\b/gi, 'I')
    .replace(/\byour\b/gi, 'my')
}

/** One fact a key, the last one; a repeated one once. */
function latest(found: readonly FoundFact[]): FoundFact[] {
  const byKey = new Map<string, FoundFact>()
  for (const fact of found) {
    const known = byKey.get(factKey(fact))
    if (known && isSameStatement(known, fact)) continue
    byKey.delete(factKey(fact))
    byKey.set(factKey(fact), fact)
  }
  return [...byKey.values()]
}
