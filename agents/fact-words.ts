/** Word lists of the rules for facts, and the readers of names, places and noun phrases that use them. */

function listed(words: string): string {
  return words
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('_', ' '))
    .join('|')
}

const people = listed(`
  mother mom mum mama father dad papa sister brother twin wife husband spouse partner girlfriend boyfriend fiancée fiancé fiancee fiance son daughter
  stepson stepdaughter stepmother stepfather stepmom stepdad child kid baby cousin uncle aunt nephew niece grandmother grandfather grandma grandpa granny
  grandson granddaughter mother-in-law father-in-law sister-in-law brother-in-law boss manager supervisor landlord landlady roommate flatmate housemate
  neighbour neighbor colleague coworker co-worker best_friend friend doctor dentist therapist teacher tutor parents grandparents in-laws`)
const pets = listed('dog cat puppy kitten parrot hamster rabbit horse pony turtle tortoise guinea_pig goldfish budgie pet')
/** Who one may have several of: only with a name is it clear which one is meant. */
const several = /^(?:friend|colleague|coworker|co-worker|cousin|neighbou?r|uncle|aunt|nephew|niece|teacher|kid|child|tutor)$/

const things = listed(`
  car van truck motorbike motorcycle bike bicycle scooter boat yacht caravan camper house flat apartment condo cottage cabin garden allotment piano guitar violin
  cello drum_kit laptop computer pc macbook ipad tablet phone smartphone iphone camera printer telescope greenhouse farm shop bakery restaurant company business
  startup blog podcast tattoo`)
const relatives = listed(
  'brother sister son daughter child children kid kids twin twins grandson granddaughter grandchild grandchildren wife husband girlfriend boyfriend',
)

export const possession: RegExp = new RegExp(`^(?:${pets}|${things})s?$`, 'i')
export const relative: RegExp = new RegExp(`^(?:${relatives})s?$`, 'i')
export const pet: RegExp = new RegExp(`^(?:${pets})$`, 'i')

const occupations = listed(`
  accountant actor actress actuary analyst anaesthetist architect archaeologist artist astronaut astronomer attorney author baker banker barber barista bartender
  beekeeper biologist blacksmith bookkeeper botanist brewer bricklayer broker builder butcher carer caretaker carpenter cashier chef chemist chiropractor cleaner clerk
  coach comedian composer conductor consultant cook copywriter counsellor counselor courier curator dancer decorator dentist dermatologist designer detective
  developer dietitian diplomat director doctor driver ecologist economist editor electrician engineer entrepreneur estate_agent farmer firefighter fisherman
  florist freelancer gardener geologist goldsmith hairdresser historian illustrator interpreter janitor jeweller journalist judge lawyer lecturer librarian
  locksmith logistician machinist magician manager mathematician mechanic meteorologist midwife miner model musician notary novelist nurse nutritionist
  obstetrician optician optometrist painter paralegal paramedic pastor pathologist pediatrician paediatrician pharmacist philosopher photographer physician physicist physiotherapist
  pilot plumber poet policeman policewoman police_officer politician postman potter priest producer professor programmer psychiatrist psychologist publisher radiologist
  realtor receptionist recruiter researcher roofer sailor salesman saleswoman salesperson scientist sculptor secretary seamstress singer social_worker soldier
  solicitor statistician steward stewardess surgeon surveyor tailor teacher technician therapist trader trainer translator tutor undertaker veterinarian
  vet waiter waitress watchmaker welder writer zookeeper zoologist`)
export const occupation: RegExp = new RegExp(`^(?:[\\p{L}-]+ ){0,4}(?:${occupations})$`, 'iu')

const nationalities = listed(`
  American Argentinian Australian Austrian Belgian Brazilian British Bulgarian Canadian Chilean Chinese Colombian Croatian Cuban Czech Danish Dutch Egyptian English
  Estonian Ethiopian Filipino Finnish French German Ghanaian Greek Hungarian Icelandic Indian Indonesian Iranian Iraqi Irish Israeli Italian Jamaican Japanese
  Kenyan Korean Latvian Lebanese Lithuanian Malaysian Mexican Moroccan Nepali New_Zealander Nigerian Norwegian Pakistani Peruvian Polish Portuguese Romanian Russian
  Scottish Serbian Slovak Slovenian Spanish Swedish Swiss Syrian Taiwanese Thai Tunisian Turkish Ukrainian Vietnamese Welsh South_African`)
export const nationality: RegExp = new RegExp(`^(?:${nationalities})$`)
const languages = listed(`
  Afrikaans Albanian Arabic Basque Bengali Bulgarian Cantonese Catalan Chinese Croatian Czech Danish Dutch English Estonian Farsi Finnish French Gaelic German
  Greek Hebrew Hindi Hungarian Icelandic Indonesian Irish Italian Japanese Korean Latin Latvian Lithuanian Malay Mandarin Norwegian Persian Polish Portuguese
  Punjabi Romanian Russian Serbian Slovak Slovenian Spanish Swahili Swedish Tagalog Tamil Thai Turkish Ukrainian Urdu Vietnamese Welsh`)
export const language: RegExp = new RegExp(`\\b(?:${languages})\\b`, 'g')

const pastimes = listed(`
  piano guitar violin viola cello flute clarinet saxophone trumpet trombone drums harp bass ukulele accordion banjo organ keyboard tennis football soccer basketball
  volleyball badminton squash golf hockey rugby cricket baseball table_tennis handball water_polo chess poker bridge go darts snooker pool`)
export const pastime: RegExp = new RegExp(`^(?:the )?((?:bass |electric |acoustic |beach |ice |field )?(?:${pastimes}))\\b`, 'i')

const conditions = listed(`
  diabetes asthma epilepsy arthritis migraine migraines adhd autism dyslexia eczema hay_fever celiac_disease coeliac_disease high_blood_pressure hypertension insomnia
  tinnitus anaemia anemia osteoporosis parkinson's multiple_sclerosis crohn's_disease depression anxiety ptsd sleep_apnea`)
export const condition: RegExp = new RegExp(`^(?:(?:chronic|severe|mild|type [12]) )?(?:${conditions})\\b`, 'i')

const adjective = '(?:(?:older|younger|elder|eldest|oldest|youngest|little|big|twin|late|dear|new|old|first|second|only|late|beloved) )?'
const ofUser = new RegExp(`^(?:my|our) ${adjective}(${people}|${pets})(?![\\p{L}-])`, 'iu')
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
export function relationOf(clause: string): ClauseSubject | undefined {
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
  else if (/^'s \p{L}+(?! (?:is|are))/u.test(rest) && !/^'s (?:called|named|an? |\d|from|in|not)/u.test(rest)) return undefined
  return { subject, ...(name !== undefined && { subjectName: name }), rest: rest.trim() }
}

/** "My birthday is …" tells of the user: the predicate begins with what it is about. */
function attributeOfUser(clause: string): ClauseSubject | undefined {
  const match = /^(?:my|our) ([\p{L} -]{2,40}?)(?: is| are|'s)(n't| not)? (.+)$/iu.exec(clause)
  return match ? { subject: 'user', rest: `${match[1]} be ${match[3]}`, negated: match[2] !== undefined } : undefined
}

const capital = "\\p{Lu}[\\p{L}\\p{M}\\p{N}'.&-]*"
const joining = '(?:of|de|la|le|del|da|do|di|du|van|von|der|den|el|al|upon|on|&|the)'
const properNoun = new RegExp(`^(?:the )?(${capital}(?: (?:${joining} )*(?:${capital}|\\p{N}+))*)`, 'u')
const calendar =
  /^(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|I|I'm|I've|Christmas|Easter)\b/

/** The name that a phrase begins with, of at most six words; undefined where it begins with none. */
export function properName(phrase: string): string | undefined {
  const name = properNoun.exec(phrase)?.[1]?.replace(/[.'&-]+$/, '')
  if (name === undefined || name === '' || calendar.test(name) || name.split(' ').length > 6) return undefined
  return name
}

/** A place: a name, with its country or state behind a comma. */
export function placeName(phrase: string): string | undefined {
  const name = properName(phrase)
  if (name === undefined) return undefined
  const behind = new RegExp(`^(?:the )?${escape(name)}, (${capital}(?: ${capital})*)$`, 'u').exec(phrase)
  return behind ? `${name}, ${behind[1]}` : name
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

const trailing =
  /,? (?:a lot|very much|so much|too|as well|now|these days|nowadays|the most|most of all|by the way|btw|though|again|at the moment|at present|to be honest|right now|currently|in general|in my (?:free|spare) time|from time to time|together|lately|recently|with (?:my|our) .+|with me|every (?:day|morning|evening|night|week|month|year|\w+day)|since .+|for (?:\d+|a|an|two|three|four|five|six|seven|eight|nine|ten|many|several|over|about|almost|years) .*(?:years?|months?|weeks?|days?|decades?)|because .+|so .+|unlike .+|especially .+|last (?:week|month|year)|in (?:19|20)\d\d|yesterday|today|ever)$/i

/** What a phrase means only together with something that is cut off or stands elsewhere. */
const incomplete =
  /\b(?:that|which|who|whom|whose|when|whenever|where|if|it|them|him|her|me|us|this|these|those|one|ones|uh|um|erm?|mm|yeah|no|well)\b|[{}<>|=\\]|(?:^|\s)(?:to|of|in|on|at|with|for|from|into|by|about|a|an|the|my|our|and|or|as|than|just|like)$/i

/** A phrase without the adverbials behind it; undefined when it is empty, longer than `words`, or not understood on its own. */
export function phrase(text: string, words = 6): string | undefined {
  const [before = '', behind] = text.replace(/\s*\([^)]*\)/g, '').split(/,\s+(?!\p{Lu})(.*)/u)
  // "a safe, inviting place"
  if (behind !== undefined && /\b(?:an?|the|my|our) \p{L}+$/u.test(before) && !/^(?:not|and|but|by the way|though)\b/.test(behind))
    return undefined
  let short = before.trim()
  while (trailing.test(short)) short = short.replace(trailing, '')
  short = short.replace(/[\s.,;:!]+$/, '')
  return short === '' || incomplete.test(short) || short.split(' ').length > words ? undefined : short
}

/** The parts of "tea, coffee and cake". */
export function listItems(text: string): string[] {
  return text
    .split(/,\s*(?:and |or )?|\s+(?:and|or)\s+/)
    .map((item) => item.trim())
    .filter(Boolean)
}
