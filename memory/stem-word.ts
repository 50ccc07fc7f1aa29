/**
 * Porter's stemmer for English ("An algorithm for suffix stripping", 1980), with the author's two later changes (`logi`, `bli`).
 * The steps keep the paper's numbers. `m` counts the vowel-consonant sequences of a stem.
 */

const consonant = '[^aeiou]'
const vowel = '[aeiouy]'
const consonants = `${consonant}[^aeiouy]*`
const vowels = `${vowel}[aeiou]*`

const measureAbove0 = new RegExp(`^(${consonants})?${vowels}${consonants}`)
const measureIs1 = new RegExp(`^(${consonants})?${vowels}${consonants}(${vowels})?$`)
const measureAbove1 = new RegExp(`^(${consonants})?${vowels}${consonants}${vowels}${consonants}`)
const hasVowel = new RegExp(`^(${consonants})?${vowel}`)
const endsShort = new RegExp(`^${consonants}${vowel}[^aeiouwxy]$`)
const endsDouble = /([^aeiouylsz])\1$/

const step2: Readonly<Record<string, string>> = {
  ational: 'ate',
  tional: 'tion',
  enci: 'ence',
  anci: 'ance',
  izer: 'ize',
  bli: 'ble',
  alli: 'al',
  entli: 'ent',
  eli: 'e',
  ousli: 'ous',
  ization: 'ize',
  ation: 'ate',
  ator: 'ate',
  alism: 'al',
  iveness: 'ive',
  fulness: 'ful',
  ousness: 'ous',
  aliti: 'al',
  iviti: 'ive',
  biliti: 'ble',
  logi: 'log',
}
const step3: Readonly<Record<string, string>> = { icate: 'ic', ative: '', alize: 'al', iciti: 'ic', ical: 'ic', ful: '', ness: '' }

const step2Ending =
  /^(.+?)(ational|tional|enci|anci|izer|bli|alli|entli|eli|ousli|ization|ation|ator|alism|iveness|fulness|ousness|aliti|iviti|biliti|logi)$/
const step3Ending = /^(.+?)(icate|ative|alize|iciti|ical|ful|ness)$/
const step4Ending = /^(.+?)(al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)$/
const step4Ion = /^(.+?[st])ion$/

/**
 * The stem of an English word: "relations", "relational" and "related" share one. Words of other scripts and words with digits stay as
 * they are.
 *
 * @param word lower case, without diacritics
 */
export function stemWord(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word
  // An initial y is a consonant; a capital takes it out of the vowel class until the end.
  const marked = word.startsWith('y') ? `Y${word.slice(1)}` : word
  const stem = stripFinalE(stripStep4(replaceEnding(replaceEnding(stripInflection(marked), step2Ending, step2), step3Ending, step3)))
  return stem.startsWith('Y') ? `y${stem.slice(1)}` : stem
}

/** Steps 1a, 1b and 1c: plurals, -ed, -ing, final y. */
function stripInflection(word: string): string {
  const singular = word.replace(/(ss|i)es$/, '$1').replace(/([^s])s$/, '$1')
  const base = stripPast(singular)
  return base.endsWith('y') && hasVowel.test(base.slice(0, -1)) ? `${base.slice(0, -1)}i` : base
}

function stripPast(word: string): string {
  if (word.endsWith('eed')) return measureAbove0.test(word.slice(0, -3)) ? word.slice(0, -1) : word
  const stem = /^(.+)(?:ed|ing)$/.exec(word)?.[1]
  if (stem === undefined || !hasVowel.test(stem)) return word
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`
  if (endsDouble.test(stem)) return stem.slice(0, -1)
  return endsShort.test(stem) ? `${stem}e` : stem
}

function replaceEnding(word: string, ending: RegExp, replacements: Readonly<Record<string, string>>): string {
  const match = ending.exec(word)
  const [, stem = '', suffix = ''] = match ?? []
  return match && measureAbove0.test(stem) ? stem + (replacements[suffix] ?? '') : word
}

function stripStep4(word: string): string {
  const match = step4Ending.exec(word) ?? step4Ion.exec(word)
  const stem = match?.[1]
  return stem !== undefined && measureAbove1.test(stem) ? stem : word
}

/** Step 5: a final e after a long stem, a double l. */
function stripFinalE(word: string): string {
  let result = word
  if (word.endsWith('e')) {
    const stem = word.slice(0, -1)
    if (measureAbove1.test(stem) || (measureIs1.test(stem) && !endsShort.test(stem))) result = stem
  }
  return result.endsWith('ll') && measureAbove1.test(result) ? result.slice(0, -1) : result
}
