/** Passages of made-up facts with a question about one of them, made from a seed: nothing that a model could know, much that looks alike. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Sentences, and a question that exactly one of them answers. */
export interface GeneratedNeedle {
  readonly sentences: readonly string[]
  readonly question: string
  /** Index of the sentence that answers. */
  readonly needle: number
}

interface Fact {
  readonly person: string
  readonly past: string
  readonly plain: string
  readonly thing: string
  readonly place: string
  readonly year: number
}

type Pick = <T>(from: readonly T[]) => T

const people =
  'Alba Berrin Cato Dorset Elwin Farrow Greta Halden Ismay Jorun Kester Lorne Maelis Norrik Orla Perrin Quill Rosamund Soren Tamsin Ulric Verity Wendel Ysolde'
const families = 'Ashdown Brandt Corvin Dunmore Eskdale Fenwick Garrow Holt Ivarsen Kestrel Lindqvist Marlow'
const towns = 'Arnholm Belcastle Crowmere Dunfall Eastry Ferndale Glenhaven Harrowgate Inverlea Kingsmarsh Lowford Millbrae'
const things = 'bridge chapel library observatory harbour mill theatre tunnel archive garden lighthouse foundry'
const kinds = 'old northern stone wooden royal small public iron western narrow'
const verbs = [
  ['designed', 'design'],
  ['bought', 'buy'],
  ['repaired', 'repair'],
  ['painted', 'paint'],
  ['destroyed', 'destroy'],
  ['opened', 'open'],
  ['inherited', 'inherit'],
  ['described', 'describe'],
] as const

/** One passage of `size` sentences. The same seed gives the same passage. */
export function generateNeedle(size: number, seed: number): GeneratedNeedle {
  const generator = xoroshiro128plus(seed)
  const pick: Pick = (from) => from[uniformInt(generator, 0, from.length - 1)] as (typeof from)[number]
  const facts = distinctFacts(size, pick)
  const needle = pick([...facts.keys()])
  const question = ask(facts[needle] as Fact, pick)
  return { sentences: facts.map((fact) => tell(fact, pick)), question, needle }
}

/** No two facts are about the same act on the same thing, or about the same person and act. */
function distinctFacts(size: number, pick: Pick): Fact[] {
  const facts: Fact[] = []
  const known = new Set<string>()
  while (facts.length < size) {
    const fact = makeFact(pick)
    const keys = [`${fact.past} ${fact.thing} ${fact.place}`, `${fact.person} ${fact.past}`]
    if (keys.some((key) => known.has(key))) continue
    for (const key of keys) known.add(key)
    facts.push(fact)
  }
  return facts
}

function makeFact(pick: Pick): Fact {
  const [past, plain] = pick(verbs)
  const person = `${pick(people.split(' '))} ${pick(families.split(' '))}`
  const thing = `${pick(kinds.split(' '))} ${pick(things.split(' '))}`
  const digits = Array.from({ length: 10 }, (_, digit) => digit)
  const year = 1700 + 10 * pick(digits) + pick(digits)
  return { person, past, plain, thing, place: pick(towns.split(' ')), year }
}

function tell({ person, past, thing, place, year }: Fact, pick: Pick): string {
  return pick([
    `In ${year}, ${person} ${past} the ${thing} of ${place}.`,
    `${person} ${past} the ${thing} of ${place} in ${year}.`,
    `The ${thing} of ${place} was ${past} by ${person} in ${year}.`,
  ])
}

function ask({ person, past, plain, thing, place }: Fact, pick: Pick): string {
  return pick([
    `Who ${past} the ${thing} of ${place}?`,
    `When did ${person} ${plain} the ${thing}?`,
    `In which town did ${person} ${plain} something?`,
    `What did ${person} ${plain}?`,
  ])
}
