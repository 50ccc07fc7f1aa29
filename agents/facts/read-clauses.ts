/** Cuts a sentence into clauses, and each into who it is about and what it says, with verbs in their base form. */
import { type ClauseSubject, clauseSubject } from './clause-subject.ts'

/** What is said of whom. */
export interface Clause {
  /** `user`, or a relation such as `sister` or `dog`. */
  readonly subject: string
  /** The name that stands beside the relation ("my sister Clara"). */
  readonly subjectName?: string
  /** From the verb on, without auxiliaries, negations and adverbs of degree: "live in Oslo". */
  readonly predicate: string
  readonly negated: boolean
  /** Said of the past: "was", "used to". */
  readonly past: boolean
}

/** Verbs that may follow "and" without a subject of their own. */
const verbs =
  "am|'m|is|are|have|has|live|lives|work|works|love|loves|like|likes|hate|hates|enjoy|enjoys|own|owns|play|plays|speak|speaks|study|studies|drive|drives|prefer|prefers|teach|teaches|do not|don't|can't|no longer|moved|grew|was|joined|quit"
const subjects =
  "i\\b|we\\b|my\\b|our\\b|it\\b|it's|she\\b|she's|he\\b|he's|they\\b|they're|you\\b|you're|there\\b|this\\b|that's|who\\b|which\\b|where\\b"
const cut = new RegExp(
  `(?:[;:—–]|\\s-|,|(?:,? (?:and|but|so|because|since|while|although|though|when|where|which|who|whereas|as|or))(?=\\s))\\s+(?=(?:(?:also|now|then|currently|actually|sometimes|never|really) )*(?:${subjects}|(?:${verbs})\\s))|,? (?:but|because|although|though|whereas)\\s+|,\\s+(?=not |by the way)`,
  'gi',
)
const elided = new RegExp(`^(?:(?:also|now|never|really) )*(?:${verbs})\\s`, 'i')
const openings =
  /^(?:(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|greetings)(?: (?:there|all|everyone))?[,!. ]+|(?:well|so|ok(?:ay)?|yes|yeah|no|nope|sorry|oh|ah|actually|by the way|btw|fyi|also|and|but|anyway|please note that|just so you know|for your information|for the record|to be clear|correction|remember(?: that)?|note that|in fact|honestly|personally|these days|nowadays|currently|now|right now)[,: ]+)+/i
const adverbs =
  /^(?:really|absolutely|also|currently|now|still|always|just|recently|actually|originally|usually|often|normally|basically|mostly|already|finally|truly|totally|quite|generally|definitely|certainly|especially|particularly|simply|both|all|only|even|sometimes|officially|happily) /i
const hedges =
  /\b(?:would|could|should|might|maybe|perhaps|probably|wish|hope|want|wanna|need|must|almost|nearly|not sure|kind of|sort of)\b|'d\b/i

/** Clauses of a sentence about the user and who is the user's; others are left out, as are wishes and guesses. */
export function readClauses(sentence: string): Clause[] {
  const clauses: Clause[] = []
  let before: Clause | undefined
  for (const part of partsOf(sentence)) {
    before = clauseOf(part, before)
    // The month has a capital.
    if (before && !hedges.test(part.text) && !/\bmay\b/.test(part.text)) clauses.push(before)
  }
  return clauses
}

/** A part of a sentence, and the word that joins it to the one before. */
interface Part {
  readonly text: string
  readonly joint: string
}

function partsOf(sentence: string): Part[] {
  const plain = sentence.replace(/[’‘]/g, "'").replace(/\s+/g, ' ').replace(openings, '')
  const corrected = correct(plain).replace(/[.!…\s]+$/, '')
  const parts: Part[] = []
  let [from, joint] = [0, '']
  for (const { 0: separator, index } of corrected.matchAll(cut)) {
    parts.push({ text: corrected.slice(from, index).trim(), joint })
    from = index + separator.length
    joint = separator
  }
  return [...parts, { text: corrected.slice(from).trim(), joint }].filter(({ text }) => text !== '')
}

/** "not X but Y" and "isn't X, it's Y" say Y. */
function correct(sentence: string): string {
  return sentence
    .replace(
      /\b(is|am|are|'s|'m|'re)(?: not|n't) [^,;.]+[,;.] (?:but )?(?:it's|it is|he's|he is|she's|she is|i'm|i am|they're|they are|we're) /gi,
      '$1 ',
    )
    .replace(/\bnot (?!only\b)[^,;.]+?,? but (?:rather )?(?!i\b|we\b|my\b|he\b|she\b|they\b|it\b)/gi, '')
}

function clauseOf({ text, joint }: Part, before: Clause | undefined): Clause | undefined {
  const own = /^(?:i|we)(?='|\s)\s*/i.exec(text)
  if (own) return withPredicate({ subject: 'user', rest: text.slice(own[0].length) })
  const subject = clauseSubject(text)
  if (subject) return withPredicate(subject)
  const pronoun = /^(?:she|he|it|they)(?='|\s)\s*/i.exec(text)
  // "My daughter is called Mia and she's 4."
  if (pronoun && before && before.subject !== 'user') return withPredicate({ subject: before.subject, rest: text.slice(pronoun[0].length) })
  return before && isElided(text, joint, before) ? withPredicate({ subject: before.subject, rest: text }) : undefined
}

/** "I live in York and work at Acme" has one subject; "love" and "like" after what is liked may be nouns, and "like" a preposition. */
function isElided(text: string, joint: string, before: Clause): boolean {
  if (!/\b(?:and|but)\b/i.test(joint) || !elided.test(text)) return false
  return !(/^(?:love|like)s? /i.test(text) && /^(?:love|like|enjoy|adore) /i.test(before.predicate))
}

function withPredicate({ subject, subjectName, rest, negated: denied = false }: ClauseSubject): Clause {
  const { predicate, negated, past } = readVerb(rest)
  return { subject, ...(subjectName !== undefined && { subjectName }), predicate, negated: negated || denied, past }
}

const contractions: readonly (readonly [RegExp, string])[] = [
  [/^'m\b|^am\b|^are\b|^is\b|^'re\b|^'s\b/i, 'be'],
  [/^(?:isn't|aren't|ain't)\b/i, 'be not'],
  [/^'ve\b|^has\b|^have\b/i, 'have'],
  [/^(?:haven't|hasn't)\b/i, 'have not'],
  [/^(?:don't|doesn't|do not|does not)\b/i, 'do not'],
  [/^(?:can't|cannot|can not)\b/i, 'can not'],
  [/^'ll\b/i, 'will'],
  [/^(?:won't)\b/i, 'will not'],
  [/^(?:was|were)\b/i, 'was'],
]

function readVerb(words: string): Pick<Clause, 'predicate' | 'negated' | 'past'> {
  let rest = withoutAdverbs(words)
  for (const [form, base] of contractions) {
    if (!form.test(rest)) continue
    rest = rest.replace(form, base)
    break
  }
  const ceased = /\s+(?:any ?more|any longer)\b/i.test(rest)
  const past = /^(?:was|used to)\b/i.test(rest)
  let negated = /^(?:do|be|have|will|was) not\b|^no longer\b|^never\b|^(?:be|have) (?:no longer|never)\b|^used to\b/i.test(rest) || ceased
  rest = rest
    .replace(/\s+(?:any ?more|any longer)\b/i, '')
    .replace(/^(?:do not|no longer|never|used to) /i, '')
    .replace(/^(be|have|will) (?:not|no longer|never) /i, '$1 ')
  rest = perfect(withoutAdverbs(rest))
  if (/^be (?:sick|tired) of /i.test(rest)) negated = false
  return { predicate: baseForm(rest), negated, past }
}

/** "have been living" and "have lived" tell of now, with the verb that the rules know. */
function perfect(words: string): string {
  const participle =
    /^have (?:been )?(lived|living|worked|working|been|liked|loved|hated|played|playing|studied|studying|driven|owned)\b/i.exec(words)
  const base = participle && participles.get((participle[1] ?? '').toLowerCase())
  if (participle && base !== undefined) return `${base}${words.slice(participle[0].length)}`
  return words.replace(/^(be|have|will) (.*)$/i, (_, verb: string, rest: string) => `${verb} ${withoutAdverbs(rest)}`)
}

const participles: ReadonlyMap<string, string> = new Map([
  ['lived', 'live'],
  ['living', 'live'],
  ['worked', 'work'],
  ['working', 'work'],
  ['been', 'be'],
  ['liked', 'like'],
  ['loved', 'love'],
  ['hated', 'hate'],
  ['played', 'play'],
  ['playing', 'play'],
  ['studied', 'study'],
  ['studying', 'study'],
  ['owned', 'own'],
  ['driven', 'drive'],
])

const thirdPersons: ReadonlyMap<string, string> = new Map([
  ['lives', 'live'],
  ['works', 'work'],
  ['likes', 'like'],
  ['loves', 'love'],
  ['hates', 'hate'],
  ['enjoys', 'enjoy'],
  ['dislikes', 'dislike'],
  ['prefers', 'prefer'],
  ['owns', 'own'],
  ['plays', 'play'],
  ['speaks', 'speak'],
  ['studies', 'study'],
  ['drives', 'drive'],
  ['teaches', 'teach'],
  ['eats', 'eat'],
  ['drinks', 'drink'],
  ['smokes', 'smoke'],
])

function baseForm(words: string): string {
  const [first = ''] = /^\S+/.exec(words) ?? []
  const progressive = /^be (living|working|studying) /i.exec(words)
  if (progressive) return `${participles.get((progressive[1] ?? '').toLowerCase())} ${words.slice(progressive[0].length)}`
  const base = thirdPersons.get(first.toLowerCase())
  return base === undefined ? words : `${base}${words.slice(first.length)}`
}

function withoutAdverbs(words: string): string {
  let rest = words.trim()
  while (adverbs.test(rest)) rest = rest.replace(adverbs, '')
  return rest
}
