/** What the user means to do on a day that can be told: a plan without a date is none. */
import { type FactDraft, type FactRule, type RuleContext, says } from './fact-rule.ts'
import { phrase } from './fact-phrases.ts'
import type { Clause } from './read-clauses.ts'

const actions: Readonly<Record<string, string>> = {
  flying: 'fly',
  going: 'go',
  travelling: 'travel',
  traveling: 'travel',
  moving: 'move',
  visiting: 'visit',
  seeing: 'see',
  meeting: 'meet',
  starting: 'start',
  getting: 'get',
  leaving: 'leave',
  returning: 'return',
  driving: 'drive',
  attending: 'attend',
  running: 'run',
  hosting: 'host',
  marrying: 'marry',
  having: 'have',
  graduating: 'graduate',
  retiring: 'retire',
  celebrating: 'celebrate',
  taking: 'take',
}
const events =
  '(?:appointment|interview|exam|test|flight|train|wedding|surgery|operation|concert|holiday|vacation|trip|conference|presentation|driving test|marathon|birthday party|party|anniversary|reservation|graduation|check-?up|dinner|defen[cs]e|move|hearing)'

/** What no one needs to be told again: unnamed things, tries, rest. */
const passing = /\b(?:it|them|this one|that one|try|ready|some time|a break|remember|finish|until|let you know|back to you)\b/i

export const planRules: readonly FactRule[] = [
  {
    pattern: new RegExp(`^be (${Object.keys(actions).join('|')}) (.+)`, 'i'),
    read: ([, action = '', rest = ''], clause, context) =>
      /^going to (?!(?:the|an?|my|our|see|\p{Lu})\b)/iu.test(`${action} ${rest}`) && !/^to \p{Lu}/u.test(rest)
        ? planned(rest.replace(/^to /i, ''), clause, context)
        : planned(`${actions[action.toLowerCase()] ?? action} ${rest}`, clause, context),
  },
  {
    pattern: /^will (?!(?:be|let|get back|check|try|see|do|ask|tell|send|need|have to)\b)(.+)/i,
    read: ([, rest = ''], clause, context) => planned(rest, clause, context),
  },
  { pattern: /^will be (in .+)/i, read: ([, rest = ''], clause, context) => planned(`be ${rest}`, clause, context) },
  {
    pattern: new RegExp(`^have (?:an? |my |our )?((?:[\\p{L}'-]+ ){0,3}${events}\\b.*)`, 'iu'),
    read: ([, rest = ''], clause, context) => planned(rest, clause, context),
  },
  {
    // "My flight to Boston is on Monday."
    pattern: new RegExp(`^((?:[\\p{L}'-]+ ){0,2}${events}(?: (?:to|in|at|with|for) [\\p{L}' .-]+?)?) be (.+)`, 'iu'),
    read: ([, what = '', rest = ''], clause, context) =>
      context.dates(rest, 'future')[0]?.start === 0 ? planned(`${what} ${rest}`, clause, context) : [],
  },
]

/** Only what has a date after the day of speaking; the plan ends with its day. */
function planned(words: string, clause: Clause, context: RuleContext): FactDraft[] {
  const [date] = context.dates(words, 'future')
  const [today] = context.dates('today', 'future')
  if (date === undefined || today === undefined || date.until <= today.until || passing.test(words)) return []
  const what = phrase(
    `${words.slice(0, date.start)} ${words.slice(date.end)}`
      .replace(/(?:\bat )?\b\d{1,2}(?::\d{2})?(?: ?[ap]\.?m\.?)?(?: o'clock)?\b/gi, '')
      .replace(/ at\s*$/, '')
      .replace(/\s+/g, ' ')
      .trim(),
    8,
  )
  if (what === undefined) return []
  return says(clause, 'plan', date.iso, { topic: what, validTo: date.until })
}
