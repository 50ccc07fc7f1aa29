import type { Fact } from '../../memory/index.ts'

/** How an attribute is told: what stands between subject and value, for what is so and for what is not. */
type Telling = readonly [yes: string, no: string]

const tellings: Readonly<Record<string, Telling>> = {
  name: ['is called', 'is not called'],
  home: ['lives in', 'does not live in'],
  origin: ['is from', 'is not from'],
  birthplace: ['was born in', 'was not born in'],
  nationality: ['is', 'is not'],
  job: ['works as:', 'does not work as:'],
  employer: ['works for', 'does not work for'],
  school: ['studies at', 'does not study at'],
  studies: ['studies', 'does not study'],
  'graduated from': ['graduated from', 'did not graduate from'],
  'marital status': ['is', 'is not'],
  spouse: ['is married to', 'is not married to'],
  diet: ['is', 'is not'],
  allergy: ['is allergic to', 'is not allergic to'],
  health: ['health:', 'health, not:'],
  owns: ['has', 'does not have a'],
  has: ['has', 'does not have'],
  speaks: ['speaks', 'does not speak'],
  learns: ['is learning', 'is not learning'],
  plays: ['plays', 'does not play'],
  eats: ['eats', 'does not eat'],
  drinks: ['drinks', 'does not drink'],
  habit: ['habit:', 'gave up'],
}

/** A fact as a sentence: "The user's sister lives in Oslo." */
export function factText(fact: Fact): string {
  const { subject, attribute, topic = '', value, negated = false } = fact
  const who = subject === 'user' ? 'The user' : `The user's ${subject}`
  if (attribute === 'opinion')
    return value.startsWith('prefers ') ? `${who} prefers ${topic} ${value.slice(8)}.` : `${who} ${value} ${topic}.`
  if (attribute === 'favourite') return `${who}'s favourite ${topic} ${negated ? 'is not' : 'is'} ${value}.`
  if (attribute === 'plan') return negated ? `${who} does not plan: ${topic} (${value}).` : `${who}'s plan: ${topic} (${value}).`
  if (attribute === 'age') return `${who} is ${negated ? 'not ' : ''}${value} years old.`
  const telling = tellings[attribute]
  if (telling) return `${who} ${telling[Number(negated)]} ${value}.`
  return `${who}'s ${attribute}${topic === '' ? '' : ` (${topic})`} ${negated ? 'is not' : 'is'} ${value}.`
}
