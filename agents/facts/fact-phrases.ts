/** Reads names, places and phrases of English. */

const capital = "\\p{Lu}[\\p{L}\\p{M}\\p{N}'.&-]*"
const joining = '(?:of|de|la|le|del|da|do|di|du|van|von|der|den|el|al|upon|on|&|the)'
const properNoun = new RegExp(`^(?:the )?(${capital}(?: (?:${joining} )*(?:${capital}|\\p{N}+))*)`, 'u')
const calendar =
  /^(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|I|I'm|I've|Christmas|Easter)\b/

/** The name that a phrase begins with, of at most six words; undefined where it begins with none. */
export function properName(text: string): string | undefined {
  const name = properNoun.exec(text)?.[1]?.replace(/[.'&-]+$/, '')
  if (name === undefined || name === '' || calendar.test(name) || name.split(' ').length > 6) return undefined
  return name
}

/** A place: a name, with its country or state behind a comma. */
export function placeName(text: string): string | undefined {
  const name = properName(text)
  if (name === undefined) return undefined
  const behind = new RegExp(`^(?:the )?${escape(name)}, (${capital}(?: ${capital})*)$`, 'u').exec(text)
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
