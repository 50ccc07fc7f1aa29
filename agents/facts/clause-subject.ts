import { people, pets, several } from './fact-words.ts'

const adjective = '(?:(?:older|younger|elder|eldest|oldest|youngest|little|big|twin|late|dear|new|old|first|second|only|late|beloved) )?'
const ofUser = new RegExp(`^(?:my|our) ${adjective}(${people}|${pets})(?![\\p{L}-]| tongue)`, 'iu')
const nameAfter = /^,? (\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)?)(?=,|'s| )/u
const attributeOf = /^'s ((?:first |full |last )?\p{L}+) (?:is|are|be) (.+)$/u

/** Who or what of the user's a clause is about, and the words behind it, from the verb on. */
export interface ClauseSubject {
  readonly subject: string
  readonly subjectName?: string
  readonly rest: string
  readonly negated?: boolean
}

/** The relation that a clause begins with ("my older sister Clara"), or what it says of the user's name, job and the like. */
export function clauseSubject(clause: string): ClauseSubject | undefined {
  const match = ofUser.exec(clause)
  if (!match) return attributeOfUser(clause)
  const relation = (match[1] ?? '').toLowerCase()
  let rest = clause.slice(match[0].length)
  const named = nameAfter.exec(rest)
  if (named) rest = rest.slice(named[0].length).replace(/^,/, '')
  const name = named?.[1]
  if (several.test(relation) && name === undefined) return undefined
  const subject = several.test(relation) ? `${relation} ${name}` : relation
  const attribute = attributeOf.exec(rest)
  if (attribute) rest = `${attribute[1]} be ${attribute[2]}`
  // "my sister's house" is about neither.
  else if (/^'s \p{L}+(?! (?:is|are))/u.test(rest) && !/^'s (?:called|named|an? |\d|from|in|not)/u.test(rest)) return undefined
  return { subject, ...(name !== undefined && { subjectName: name }), rest: rest.trim() }
}

/** "My birthday is …" tells of the user: the predicate begins with what it is about. */
function attributeOfUser(clause: string): ClauseSubject | undefined {
  const match = /^(?:my|our) ([\p{L} -]{2,40}?)(?: is| are|'s)(n't| not)? (.+)$/iu.exec(clause)
  return match ? { subject: 'user', rest: `${match[1]} be ${match[3]}`, negated: match[2] !== undefined } : undefined
}
