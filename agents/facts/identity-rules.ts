/** Who the user and their people are: names, ages, homes, origins, families, diets, health. */
import { type FactDraft, type FactRule, isOver, type RuleContext, says, validSince } from './fact-rule.ts'
import { listItems, phrase, placeName, properName } from './fact-phrases.ts'
import { condition, nationality } from './fact-words.ts'
import type { Clause } from './read-clauses.ts'

const diets = '(vegetarian|vegan|pescatarian|pescetarian|lactovegetarian|flexitarian|teetotal|kosher|halal|gluten-free)'

export const identityRules: readonly FactRule[] = [
  {
    pattern: /^(?:(?:first |full |real )?name be|be (?:called|named)|go by) (.+)/i,
    read: ([, name = ''], clause) => says(clause, 'name', properName(name)),
  },
  {
    // "My boss is Karen."
    pattern: /^be (\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+){0,2})$/u,
    read: ([, name = ''], clause) => (clause.subject === 'user' || nationality.test(name) ? [] : says(clause, 'name', properName(name))),
  },
  {
    pattern:
      /^(?:be|(?:have )?turn(?:ed|s)?) (\d{1,3})(?: years? old)?(?: (?:now|today|yesterday|this (?:week|month|year)|last (?:week|month|year)|on \w+|in \w+))?$/i,
    read: ([, age = ''], clause) => (Number(age) > 0 && Number(age) <= 120 ? says(clause, 'age', String(Number(age))) : []),
  },
  { pattern: /^was born (.+)/i, past: true, read: ([, rest = ''], clause, context) => birth(rest, clause, context) },
  {
    pattern: /^birthday be (.+)/i,
    read: ([, rest = ''], clause, context) => says(clause, 'birthday', dayAndMonth(context.dates(rest, 'future')[0]?.iso)),
  },
  {
    pattern:
      /^(?:live|reside|be based)(?: (?:alone|together|happily|here|there|with [^,]+?))? (?:right )?in (?:(?:a|an|the|my|our) [\p{Ll} -]+? (?:in|of|near) )?(.+)/iu,
    past: true,
    read: ([, place = ''], clause, context) => (isOver(clause) ? [] : says(clause, 'home', placeName(place), validSince(clause, context))),
  },
  {
    pattern: /^(?:have )?moved (?:here |back |out |over )?(?:from [^,]+? )?to (.+)/i,
    read: ([, place = ''], clause, context) => says({ ...clause, negated: false }, 'home', placeName(place), validSince(clause, context)),
  },
  { pattern: /^(?:be|come) from (.+)/i, read: ([, place = ''], clause) => says(clause, 'origin', placeName(place)) },
  {
    pattern: /^be (?:a |an )?(\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)?)(?: (?:citizen|national|man|woman|guy|girl|by birth))?$/u,
    read: ([, name = ''], clause) => (nationality.test(name) ? says(clause, 'nationality', name) : []),
  },
  {
    pattern:
      /^(?:be|(?:have )?got) (?:happily )?(married|single|divorced|widowed|engaged|separated)(?: to (.+?))?(?: (?:now|again|last|in|since|for) .*| now| again)?$/i,
    read: ([, status = '', spouse = ''], clause) => [
      ...says(clause, 'marital status', status.toLowerCase()),
      ...(clause.negated ? [] : says(clause, status.toLowerCase() === 'engaged' ? 'fiancé' : 'spouse', properName(spouse))),
    ],
  },
  {
    pattern: new RegExp(
      `^(?:be|become|became) (?:a |an )?(?:strict |committed |lifelong )?${diets}(?=[ ,]|$)(?! (?:food|recipe|restaurant|dish))`,
      'i',
    ),
    read: ([, diet = ''], clause) => says(clause, 'diet', diet.toLowerCase()),
  },
  { pattern: /^be (?:\p{L}+ly )?allergic to (.+)/iu, read: ([, list = ''], clause) => allergies(list, clause) },
  { pattern: /^have (?:a|an) (?:[\p{L}-]+ )?allergy to (.+)/iu, read: ([, list = ''], clause) => allergies(list, clause) },
  {
    pattern: /^have (?:a|an) (?:severe |bad |mild )?([\p{L}-]+) allergy$/iu,
    read: ([, cause = ''], clause) => allergies(cause, clause),
  },
  {
    pattern: /^be (lactose|gluten|fructose|histamine)[- ]intolerant/i,
    read: ([, what = ''], clause) =>
      says(clause, 'health', `${what.toLowerCase()} intolerance`, { topic: `${what.toLowerCase()} intolerance` }),
  },
  {
    pattern: /^(?:have|suffer from|be diagnosed with) (?:an? )?(.+)/i,
    read([, what = ''], clause) {
      const name = condition.exec(what)?.[0]
      return says(clause, 'health', name, { topic: name?.toLowerCase() ?? '' })
    },
  },
  {
    pattern: /^be (diabetic|asthmatic|epileptic|dyslexic|deaf|blind|colou?r-?blind|autistic|pregnant|left-handed)(?:$| (?!to\b))/i,
    read: ([, what = ''], clause) => says(clause, 'health', what.toLowerCase(), { topic: what.toLowerCase() }),
  },
  {
    pattern:
      /^((?:mobile |cell |home |work )?phone(?: number)?|mobile number|e-?mail(?: address)?|post(?:al )?code|zip code|native language|first language|mother tongue|blood type|star sign|shoe size|time ?zone|license plate|hometown|home town) be (.+)/i,
    read: ([, name = '', value = ''], clause) => detail(name, value, clause),
  },
  {
    pattern: /^(?:home |postal |street )?address be (\d+ .+|\p{Lu}.+ \d+\p{L}?(?:, .+)?)$/u,
    read: ([, value = ''], clause) => says(clause, 'address', value),
  },
  { pattern: /^live at (\d+ \p{Lu}.+|\p{Lu}.+ \d+\p{L}?(?:, .+)?)$/u, read: ([, value = ''], clause) => says(clause, 'address', value) },
]

function birth(rest: string, clause: Clause, { dates }: RuleContext): FactDraft[] {
  const place = /\bin (\p{Lu}.*)/u.exec(rest)?.[1]
  const [date] = dates(rest, 'past')
  const spoken = date && rest.slice(date.start, date.end)
  return [
    ...says(
      clause,
      'birthplace',
      place === undefined ? undefined : placeName(place.replace(spoken ?? '', '').replace(/ (?:on|in) .*$/, '')),
    ),
    ...(spoken === undefined || !/\d{4}/.test(spoken) ? [] : says(clause, date?.iso.length === 4 ? 'birth year' : 'birthday', date?.iso)),
  ]
}

function dayAndMonth(iso: string | undefined): string | undefined {
  if (iso === undefined || iso.length < 10) return undefined
  return new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' })
}

function allergies(list: string, clause: Clause): FactDraft[] {
  return listItems(phrase(list, 12) ?? '').flatMap((item) => {
    const cause = phrase(item.replace(/^(?:some|most|all|any) /i, ''), 3)
    return cause === undefined || /^(?:it|that|this|them|anything|nothing|everything|mondays?|work|nonsense)$/i.test(cause)
      ? []
      : says(clause, 'allergy', cause, { topic: cause })
  })
}

function detail(name: string, value: string, clause: Clause): FactDraft[] {
  const attribute = name
    .toLowerCase()
    .replace(/^e-?mail.*/, 'email')
    .replace(/^(?:first language|mother tongue)$/, 'native language')
    .replace('phone number', 'phone')
    .replace(/phone$/, 'phone number')
  if (attribute === 'email') return says(clause, attribute, /\S+@\S+\.\w+/.exec(value)?.[0])
  if (/number|code|size/.test(attribute))
    return says(clause, attribute, /^[+\p{Lu}\d][\p{Lu}\d \-().]*\d(?: ?\p{Lu}{2})?/u.exec(value)?.[0])
  return says(clause, attribute, properName(value))
}
