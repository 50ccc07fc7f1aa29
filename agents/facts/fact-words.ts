/** Word lists of the rules for facts. */

function listed(words: string): string {
  return words
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('_', ' '))
    .join('|')
}

export const people: string = listed(`
  mother mom mum mama father dad papa sister brother twin wife husband spouse partner girlfriend boyfriend fiancée fiancé fiancee fiance son daughter
  stepson stepdaughter stepmother stepfather stepmom stepdad child kid baby cousin uncle aunt nephew niece grandmother grandfather grandma grandpa granny
  grandson granddaughter mother-in-law father-in-law sister-in-law brother-in-law boss manager supervisor landlord landlady roommate flatmate housemate
  neighbour neighbor colleague coworker co-worker best_friend friend doctor dentist therapist teacher tutor parents grandparents in-laws`)
export const pets: string = listed('dog cat puppy kitten parrot hamster rabbit horse pony turtle tortoise guinea_pig goldfish budgie pet')
/** Who one may have several of: only with a name is it clear which one is meant. */
export const several: RegExp = /^(?:friend|colleague|coworker|co-worker|cousin|neighbou?r|uncle|aunt|nephew|niece|teacher|kid|child|tutor)$/

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
