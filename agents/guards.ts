/**
 * Guards against chain collapse (Chain of Agents, appendix F.4): one refusal or meta-reply that enters the notes is repeated by every later
 * worker. Pure functions over text; what to do about a guard is the agent's business.
 */
import { referencesOf, withoutReferences } from './references.ts'

/** Why notes are not taken over. */
export type GuardFlag = 'empty' | 'refusal' | 'repeated' | 'echo' | 'shrunk'

export interface NotesCheck {
  /** The notes before. */
  readonly previous: string
  /** The instruction that was given, to catch its echo. */
  readonly instruction: string
  /** Whether the notes had to become shorter because the unit was near its budget. */
  readonly mayShrink?: boolean
}

/** The first guard that new notes trip, or undefined. */
export function guardNotes(notes: string, check: NotesCheck): GuardFlag | undefined {
  if (isEmpty(notes)) return 'empty'
  if (isRefusal(notes)) return 'refusal'
  if (isRepeating(notes)) return 'repeated'
  if (echoes(notes, check.instruction)) return 'echo'
  if (check.mayShrink !== true && isShrunk(check.previous, notes)) return 'shrunk'
  return undefined
}

/** Whether a text holds no letter and no digit. */
export function isEmpty(text: string): boolean {
  return !/[\p{L}\p{N}]/u.test(text)
}

const SOURCE =
  '(?:text|passage|chunk|document|excerpt|notes?|summary|context|section|part|source|story|article|conversation|quotations?|quotes?|information)s?'
const NAMED = '(?:mention|provide|state|specif|giv|found|discuss|availab|includ|contain|address|cover|reveal|said|indicat|answer)\\w*'
const ADJECTIVES = '(?:(?:new|relevant|additional|further|specific|other|such|useful|more|direct)\\s+)*'
const NOUNS = 'information|evidence|mention|details?|content|facts?|data|answer|quotes?|quotations?'
const PATTERNS: readonly RegExp[] = [
  new RegExp(
    `\\b${SOURCE}\\b[^.]{0,30}\\b(?:does|do|did)(?:\\s+not|n't)\\s+(?:\\w+ly\\s+)?(?:mention|contain|provide|say|state|specify|include|answer|discuss|address|give|have|reveal|indicate|tell|refer|offer)`,
  ),
  new RegExp(
    `\\b(?:is|are|was|were)(?:\\s+not|n't)\\s+(?:\\w+ly\\s+)?${NAMED}(?:\\s*[.!]?$|\\s+(?:anywhere\\s+)?(?:in|by|within|from)\\s+(?:the|this|these|any|that)\\s+(?:\\w+\\s+)?${SOURCE}\\b)`,
  ),
  new RegExp(`^(?:not|never)\\s+${NAMED}\\b`),
  /\b(?:i|we)\s+(?:do\s*not|don't|cannot|can't|can\s+not|could\s*not|couldn't)\s+(?:know|find|answer|determine|provide|see|help|assist|say|have\s+(?:enough|any|access|the))/,
  /\b(?:i|we)(?:\s+am|\s+are|'m|'re)\s+(?:unable|not\s+able|sorry|not\s+sure)\b/,
  /\bas\s+an?\s+(?:ai|language\s+model|assistant)\b/,
  new RegExp(
    `^(?:there\\s+(?:is|are)\\s+)?no\\s+${ADJECTIVES}(?:${NOUNS})\\b(?:[.!]*$|[^.]*\\b(?:${SOURCE}|question|here|available|provided|given)\\b)`,
  ),
  new RegExp(`^(?:there\\s+(?:is|are)\\s+)?no\\s+${ADJECTIVES}(?:information|mention|details?)\\s+(?:about|regarding|on|of|concerning)\\b`),
  new RegExp(`\\b${SOURCE}\\b[^.]{0,20}\\b(?:contains?|provides?|has|gives?|offers?|holds?)\\s+no\\s+${ADJECTIVES}(?:${NOUNS})\\b`),
  /^(?:there\s+(?:is|was)\s+)?nothing\s+(?:new|relevant|here|else|more|to\s+(?:add|report|note)|of\s+relevance|needs|in\s+(?:the|this))\b/,
  /^(?:none|n\/?a|unknown|not\s+found|no\s+answer|unanswerable|no\s+changes?|unclear|not\s+(?:relevant|applicable))\W*$/,
  /\b(?:notes?|summary|answer)\s+(?:remains?|stays?|is|are)\s+(?:the\s+same|unchanged)\b/,
  /\bno\s+(?:changes?|updates?|additions?|revisions?)\s+(?:(?:is|are|was|were)\s+)?(?:needed|necessary|required|made|to)\b/,
  /\b(?:cannot|can't|can\s+not|could\s+not)\s+be\s+(?:answered|determined|found|inferred)\b/,
  /\bnot\s+enough\s+(?:information|context|evidence)\b|\binsufficient\s+(?:information|context|evidence)\b/,
]

/** Whether every sentence of a text is a refusal or speaks about the text instead of from it. A sentence that cites a quotation never is. */
export function isRefusal(text: string): boolean {
  return !isEmpty(text) && isEmpty(withoutRefusals(text))
}

/** The text without the sentences that are refusals or meta-replies (the paper's second remedy: strip them before they are handed on). */
export function withoutRefusals(text: string): string {
  const lines = text.split('\n').map((line) =>
    sentencesOf(line)
      .filter((sentence) => !isMeta(sentence))
      .join(' '),
  )
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function isMeta(sentence: string): boolean {
  if (referencesOf(sentence).length > 0) return false
  const words = sentence
    .toLowerCase()
    .replaceAll('\u2019', "'")
    .replace(/\s+/g, ' ')
    .replace(/^[\s\-*•"']+/, '')
    .trim()
  return PATTERNS.some((pattern) => pattern.test(words))
}

/** Sentences of a line, with their end marks. */
export function sentencesOf(line: string): string[] {
  return line.split(/(?<=[.!?。！？]["'”’)\]]*)\s+/u).filter((sentence) => sentence.trim() !== '')
}

/** Fewest times that a run of words must follow itself to be a loop. */
const LOOP_TURNS = 4
const LONGEST_LOOP = 24

/** Whether a text is caught in a loop: a run of words four times in a row, or a long text of few different word groups. */
export function isRepeating(text: string): boolean {
  const words = wordsOf(text)
  for (let length = 1; length <= LONGEST_LOOP; length++) if (hasLoop(words, length)) return true
  const groups = groupsOf(words, 4)
  return groups.length >= 40 && new Set(groups).size < groups.length / 2
}

function hasLoop(words: readonly string[], length: number): boolean {
  const needed = length * (length === 1 ? LOOP_TURNS : LOOP_TURNS - 1)
  let same = 0
  for (let at = length; at < words.length; at++) {
    same = words[at] === words[at - length] ? same + 1 : 0
    if (same >= needed) return true
  }
  return false
}

/** Whether at least half of a text's groups of five words stand in the instruction: the model copies its orders. */
export function echoes(text: string, instruction: string): boolean {
  const groups = groupsOf(wordsOf(text), 5)
  if (groups.length === 0) return false
  const orders = new Set(groupsOf(wordsOf(instruction), 5))
  return groups.filter((group) => orders.has(group)).length * 2 >= groups.length
}

/** Notes without references and shorter than this, in words, may become anything. */
const SHORT_NOTES = 16

/**
 * Whether notes lost more than half of their words and, where the notes before cited quotations, more than half of those references too. Notes that
 * become terse but keep what they rest on are a rewrite.
 */
export function isShrunk(previous: string, notes: string): boolean {
  const before = wordsOf(withoutReferences(previous)).length
  if (wordsOf(withoutReferences(notes)).length * 2 >= before) return false
  const references = referencesOf(previous)
  if (references.length === 0) return before >= SHORT_NOTES
  const kept = new Set(referencesOf(notes))
  return references.filter((id) => kept.has(id)).length * 2 < references.length
}

/** Words of a text in lower case, without signs. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

function groupsOf(words: readonly string[], size: number): string[] {
  return words.slice(size - 1).map((_, at) => words.slice(at, at + size).join(' '))
}
