/** The words of the writing worker and the mapper. The reply is asked for in plain lines, which weak models keep to better than to JSON. */

/** Shares of the unit's tokens that the notes may take, and words a token, for the length that the instruction names. */
const NOTES_SHARE = 0.5
const WORDS_PER_TOKEN = 0.7

/** Words that the notes may have, for the instruction. */
export function wordLimit(maxUnit: number): number {
  return Math.max(20, Math.round((maxUnit * NOTES_SHARE * WORDS_PER_TOKEN) / 10) * 10)
}

export const WORKER_SYSTEM: string =
  'You read a long text part by part and keep notes. Somebody else, who never sees the text, works from your notes and quotations alone.'

/** Chain of Agents, table 11: keep the earlier summary and add this part; evidence for the question first. */
export function workerInstruction(question: string | undefined, words: number): string {
  const task =
    question === undefined
      ? 'Rewrite the earlier notes so that they also tell what this part says: they will become a summary of the whole text, so be thorough.'
      : 'Rewrite the earlier notes so that they hold all that helps to answer the question: keep what they say and add what this part says. Leave out what does not help. Do not answer yet.'
  return `${task} Use at most ${words} words.\n${replyForm(question)}`
}

export function mapperInstruction(question: string | undefined, words: number): string {
  const task =
    question === undefined
      ? 'Summarise this part: your notes will become a piece of a summary of the whole text, so be thorough.'
      : 'Write down all that this part says that helps to answer the question. Leave out what does not help. Do not answer yet.'
  return `${task} Use at most ${words} words.\n${replyForm(question)}`
}

/** SCM's summary of a part: what stands before is background, and saying it again is forbidden. */
export function sectionInstruction(question: string | undefined, words: number): string {
  return `${mapperInstruction(question, words)}\nDo not repeat what stands before the text.`
}

function replyForm(question: string | undefined): string {
  const nothing = question === undefined ? 'If this part says nothing worth noting' : 'If this part holds nothing for the question'
  return [
    'Reply with these lines:',
    'NOTES: your notes, with the number of a quotation such as [q1] after what rests on it',
    'QUOTE [q1]: "words of this part, copied without any change"',
    `Write one QUOTE line for each quotation from this part, and number on from the last one. ${nothing}, reply only: NOTHING NEW`,
  ].join('\n')
}

/** Added when a reply could not be used. */
export const REPAIRS: Readonly<Record<string, string>> = {
  empty: 'Your last reply held no notes. Write the NOTES line, then the QUOTE lines.',
  repeated: 'Your last reply said the same words again and again. Say each thing once.',
  echo: 'Your last reply copied these orders. Write notes about the text itself.',
  shrunk: 'Your last reply left out most of the earlier notes. Keep what they say, with their numbers such as [q1], and add to it.',
}
