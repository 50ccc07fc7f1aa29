/** What and whom the user has, and has no longer. */
import { type FactDraft, type FactRule, says } from './fact-rule.ts'
import { listItems, phrase, properName } from './fact-phrases.ts'
import { pet, possession, relative } from './fact-words.ts'
import type { Clause } from './read-clauses.ts'

const amount = '(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|\\d{1,2}|twin)'
const owned = new RegExp(`^(${amount} (?:[\\p{L}-]+ ){0,3}?)([\\p{L}-]+(?: kit| pig)?)(?: (?:named|called) (.+))?$`, 'iu')

export const belongingRules: readonly FactRule[] = [
  {
    pattern: /^have (?:got )?(.+)/i,
    read: ([, list = ''], clause) => listItems(list).flatMap((item) => (clause.negated ? lacking(item, clause) : having(item, clause))),
  },
  {
    pattern: /^own (.+)/i,
    read: ([, list = ''], clause) => listItems(list).flatMap((item) => (clause.negated ? lacking(item, clause) : anything(item, clause))),
  },
  {
    pattern: /^(?:have )?(?:bought|got|adopted|purchased|acquired)(?: (?:myself|us|ourselves))? (.+)/i,
    read: ([, list = ''], clause) => (clause.negated ? [] : listItems(phrase(list, 12) ?? '').flatMap((item) => having(item, clause))),
  },
  {
    pattern: /^drive (?:an?|my) (?!(?:bus|taxi|tram|train|lorry|cab|school bus|hard)\b)((?:[\p{L}\p{N}-]+ ){0,3}[\p{L}\p{N}-]+)$/iu,
    read: ([, car = ''], clause) =>
      /\p{Lu}|\b(?:car|van|truck|suv)\b/u.test(car) ? says(clause, 'owns', `a ${car}`, { topic: 'car' }) : [],
  },
  {
    pattern: /^(?:have )?(?:sold|got rid of|gave away|given away|had to (?:sell|give away)) (?:my|our) (?:old |new )?(.+)/i,
    read: ([, list = ''], clause) => (clause.negated ? [] : listItems(phrase(list, 6) ?? '').flatMap((item) => lacking(item, clause))),
  },
  {
    pattern: /^(?:have )?(?:died|passed away)\b/i,
    read: (_, clause) => (pet.test(clause.subject) ? lacking(clause.subject, { ...clause, subject: 'user' }) : []),
  },
]

/** "two cats", "an older brother named Felix": only of what one owns for long, or is related to. */
function having(item: string, clause: Clause): FactDraft[] {
  const [, before = '', noun = '', name] = owned.exec(phrase(item, 10) ?? '') ?? []
  if (!possession.test(noun) && !relative.test(noun)) return []
  const topic = singular(noun)
  const named = name === undefined ? undefined : properName(name)
  // Their name says more than that there is one.
  if (named !== undefined && clause.subject === 'user') return [{ subject: topic, attribute: 'name', value: named }]
  return says(clause, relative.test(noun) ? 'has' : 'owns', `${before}${noun}`, { topic })
}

/** Who says "own" means it, whatever it is. */
function anything(item: string, clause: Clause): FactDraft[] {
  const [, before = '', noun = ''] = owned.exec(phrase(item, 6) ?? '') ?? []
  return noun === '' || /^(?:mistakes?|problem|issue|fault|way|opinion|style)$/i.test(noun)
    ? []
    : says(clause, 'owns', `${before}${noun}`, { topic: singular(noun) })
}

function lacking(item: string, clause: Clause): FactDraft[] {
  const noun =
    (phrase(item, 4) ?? '')
      .replace(/^(?:an?|any|my|our|the) /i, '')
      .split(' ')
      .at(-1) ?? ''
  if (!possession.test(noun)) return []
  return says({ ...clause, negated: true }, 'owns', singular(noun), { topic: singular(noun) })
}

function singular(noun: string): string {
  const lower = noun.toLowerCase()
  if (lower === 'children' || lower === 'kids' || lower === 'kid') return 'child'
  if (lower === 'grandchildren') return 'grandchild'
  return lower.replace(/(?:(?<=[^aeiou])ies)$/, 'y').replace(/(?<=[^s])s$/, '')
}
