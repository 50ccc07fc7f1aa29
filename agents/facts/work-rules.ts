/** What the user and their people do: jobs, employers, studies. */
import { type FactDraft, type FactRule, isOver, type RuleContext, says, validSince } from './fact-rule.ts'
import { phrase, properName } from './fact-phrases.ts'
import { occupation } from './fact-words.ts'
import type { Clause } from './read-clauses.ts'

export const workRules: readonly FactRule[] = [
  {
    pattern: /^be (?:an?|the) (.+)/i,
    read([, words = ''], clause, context) {
      const [job = ''] = partOf(words, / (?:at|for|in|from|with|by|of|on|who|based|living|working) /i)
      const [, place] = partOf(words, / (?:at|for) /i)
      if (
        !occupation.test(job) ||
        /\b(?:an?|more|less|excellent|terrible|bad|good|great|awful|big|happy|born|natural|lousy|decent|mediocre|hobby|amateur|fast|slow|heavy)\b/i.test(
          job,
        )
      )
        return []
      return [...says(clause, 'job', job), ...employers(place, clause, context)]
    },
  },
  {
    pattern: /^work (?:full-time |part-time )?as (?:an?|the) (.+)/i,
    read([, words = ''], clause, context) {
      const [job = '', place] = partOf(words, / (?:at|for|with) /i)
      return [...says(clause, 'job', phrase(partOf(job, / (?:in|from|on|of) /i)[0] ?? '', 5)), ...employers(place, clause, context)]
    },
  },
  {
    pattern: /^(?:job|profession|occupation) be (?:an? )?(.+)/i,
    read: ([, job = ''], clause) => (occupation.test(job) ? says(clause, 'job', job) : []),
  },
  {
    pattern:
      /^teach (maths?|mathematics|physics|chemistry|biology|history|geography|english|french|spanish|german|latin|music|art|science|philosophy|economics|literature|yoga|pilates|piano|guitar|computer science)(?: (?:at|in|to|for) .*)?$/i,
    read: ([, subject = ''], clause) => says(clause, 'job', `${subject} teacher`),
  },
  {
    pattern: /^work (?:full-time |part-time |mostly )?(?:at|for) (.+)/i,
    past: true,
    read: ([, place = ''], clause, context) => (isOver(clause) ? [] : employers(place, clause, context)),
  },
  {
    pattern: /^(?:have )?(?:start(?:ed)?|began|joined|got a (?:new )?job)(?: (?:working|work|a new job|my new job))? (?:at|for) (.+)/i,
    read: ([, place = ''], clause, context) => employers(place, clause, context),
  },
  {
    pattern:
      /^(?:have )?(?:got |was |been )?(?:laid off (?:from|by)|fired (?:from|by)|made redundant (?:by|at)|resigned from|quit (?:my )?(?:job|position) (?:at|with)|left (?:my )?(?:job|position) (?:at|with)|(?:quit|stopped) working (?:at|for)) (?:my (?:job|position) (?:at|with) )?(.+)/i,
    past: true,
    read: ([, place = ''], clause) => says({ ...clause, negated: true }, 'employer', employer(place)),
  },
  { pattern: /^(?:be |have )?retired(?: (?:now|last|in|since|from|for) .*| now)?$/i, read: (_, clause) => says(clause, 'job', 'retired') },
  {
    pattern: /^(?:be (?:unemployed|out of work|self-employed))(?: .*)?$/i,
    read: ([whole = ''], clause) => says(clause, 'job', /self-employed/i.test(whole) ? 'self-employed' : 'unemployed'),
  },
  {
    pattern: /^study ((?!(?:your|the|this|that|these|it|my|for|at|in|hard|how|what)\b)\p{L}+(?: \p{L}+){0,3}?)(?: at (.+))?$/iu,
    read: ([, subject = '', school = ''], clause) => [
      ...says(clause, 'studies', phrase(subject, 4)),
      ...says(clause, 'school', properName(school)),
    ],
  },
  {
    pattern: /^be (?:an? )?((?:[\p{L}-]+ ){0,2}student)(?: of (.+?))?(?: (?:at|in) (.+))?$/iu,
    read: ([, job = '', subject = '', school = ''], clause) => [
      ...says(clause, 'job', job),
      ...says(clause, 'studies', phrase(subject, 4)),
      ...says(clause, 'school', properName(school)),
    ],
  },
  { pattern: /^(?:have )?graduated from (.+)/i, read: ([, school = ''], clause) => says(clause, 'graduated from', properName(school)) },
]

function employers(place: string | undefined, clause: Clause, context: RuleContext): FactDraft[] {
  return place === undefined ? [] : says(clause, 'employer', employer(place), validSince(clause, context))
}

/** A name, or "a bank", "the council": with an article, so that "work for fun" and "at home" name nobody. */
function employer(place: string): string | undefined {
  const name = properName(place)
  if (name !== undefined) return name
  const plain = phrase(partOf(place, / (?:in|near|as|on|from|where|that) /i)[0] ?? '', 4)
  return plain !== undefined &&
    /^(?:an?|the) (?!(?:moment|minute|time|while|change|living|same|end|beginning|office|desk|computer|project|day|week)\b)\p{Ll}/u.test(
      plain,
    )
    ? plain
    : undefined
}

/** The words before and after the first separator. */
function partOf(words: string, separator: RegExp): readonly [string | undefined, string | undefined] {
  const match = separator.exec(words)
  return match ? [words.slice(0, match.index), words.slice(match.index + match[0].length)] : [words, undefined]
}
