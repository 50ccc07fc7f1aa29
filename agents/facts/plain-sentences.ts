/** What of a message is said plainly by its writer: not asked, quoted, supposed, reported, or put before the reader as material. */
import { sentences, type Span } from '../../chunkers/index.ts'

/** Blocks that are not the writer's own words: code, quoted lines, and tags such as those around memory that was put into a prompt. */
const foreignBlocks: readonly RegExp[] = [
  /```[\s\S]*?(?:```|$)/g,
  /~~~[\s\S]*?(?:~~~|$)/g,
  /<([a-z][\w-]*)(?:\s[^>]{0,400})?>[\s\S]*?(?:<\/\1>|$)/gi,
  /^[ \t]*>.*$/gm,
  /^[ \t]*(?:relevant |retrieved |related )?(?:memor(?:y|ies)|context|history|facts|notes)\b[^\n]*:[ \t]*\n[\s\S]*?(?=\n[ \t]*\n|(?![\s\S]))/gim,
]

/**
 * Words between quotation marks; a sentence that holds some is left out as a whole. Bounded, as a mark may stand open and be one of many.
 */
const quoted =
  /"[^"\n]*"|“[^”]{0,2000}”|«[^»]{0,2000}»|„[^“”]{0,2000}[“”]|`[^`\n]*`|(?<=^|[\s(])['‘](?=\S)[^\n]{0,400}?\S['’](?=$|[\s.,;:!?)])/g

/** From here on the text is material to work on, or a play. */
const material = [
  /^(?:(?:please|can you|could you|now|then|also|ok(?:ay)?)[, ]+)*(?:translate|rewrite|rephrase|paraphrase|fix|correct|proofread|summari[sz]e|shorten|complete|continue|edit|review|improve|classify|write|draft|repeat|say|read|explain|check)\b/i,
  /^(?:(?:please|now|then|so|ok(?:ay)?)[, ]+)*(?:imagine|pretend|suppose|supposing|assume|act|role-?play|play the (?:role|part)|let(?:'|’)?s (?:say|pretend|imagine|assume)|let us (?:say|pretend|imagine|assume))\b/i,
]

/** A sentence with one of these tells of something other than what is so. */
const unreal =
  /\b(?:if|unless|imagine|pretend(?:ing)?|suppose|hypothetical(?:ly)?|as though|in (?:the|this|that|my) (?:novel|story|book|film|movie|game|text|article|song|poem|play|dream|example)|my character|according to|for (?:example|instance)|e\.g\.|todo|(?:the|this|that) (?:sentence|phrase|word|line|quote)|just kidding|joking|sarcasm)\b/i

/** Others' words, and the writer's doubts. */
const reported =
  /\b(?:said|says|saying|told|tells|wrote|writes|asked|asks|claim(?:s|ed)?|mentioned|thinks?|thought|believes?d?|guess|heard|reckon|doubt|not sure|unsure|wonder(?:ing)?|seems?|apparently|supposedly)\b/i

/**
 * Sentences of a message that state something in its writer's own words, with their places. Without questions, quotations, code, quoted
 * lines, tagged blocks, what stands behind an order to work on it, suppositions and reported speech.
 */
export function plainSentences(text: string): Span[] {
  const own = blankQuotations(ownWords(text))
  const result: Span[] = []
  for (const span of sentencesByLine(own)) {
    const sentence = own.slice(span.start, span.end)
    if (material.some((order) => order.test(sentence))) break
    if (isPlain(sentence)) result.push(span)
  }
  return result
}

function isPlain(sentence: string): boolean {
  if (sentence.includes('\0') || /\?["')\]]*$/.test(sentence)) return false
  if (/^(?:so,? |and |but |ok(?:ay)?,? |well,? )?you\b(?! (?:can|may) call me)/i.test(sentence)) return false
  return !unreal.test(sentence) && !reported.test(sentence)
}

/** A message with spaces in place of code, quoted lines and tagged blocks, such as memory that was put into a prompt: as long as before. */
export function ownWords(text: string): string {
  return foreignBlocks.reduce((own, block) => own.replace(block, (match) => match.replace(/[^\n]/g, ' ')), text)
}

/** Quotations as NUL, as long as before. */
function blankQuotations(text: string): string {
  return text.replaceAll('\0', ' ').replace(quoted, (match) => match.replace(/[^\n]/g, '\0'))
}

/** People end lines on purpose in messages, so that no sentence crosses one. */
function* sentencesByLine(text: string): Generator<Span> {
  for (const { 0: line, index } of text.matchAll(/[^\n]+/g)) yield* sentences(line, index)
}
