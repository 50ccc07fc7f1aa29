/**
 * Models for generated chats that never err: they read what stands in the prompt and nothing else, so that a wrong answer is the memory's
 * fault.
 */
import { scriptedModel, type ScriptedModel } from '../testing/index.ts'

/** What an oracle says where the prompt holds no answer. */
export const UNKNOWN = 'I do not know.'

const ASKED = /What is the ([a-z ]+?) of the ([a-z]+ [a-z]+)\?|When did I visit the ([a-z]+ [a-z]+)\?|And what is its ([a-z ]+?)\?/g
const SAID =
  /\b(?:the ([a-z ]+?) of the ([a-z]+ [a-z]+) (?:is (\d+-\d+)|has changed: it is (\d+-\d+) now|is (no longer) in use)|On (\d{4}-\d\d-\d\d) I visited the ([a-z]+ [a-z]+)|I rented the ([a-z]+ [a-z]+) last week|Its ([a-z ]+?) is (\d+-\d+))/gi

/** The value that a text gives for the last question in it: the latest statement holds. Undefined where it gives none. */
export function answerFrom(text: string, question: string): string | undefined {
  const [, attribute, place, visited, pronoun] = [...question.matchAll(ASKED)].at(-1) ?? []
  let rented: string | undefined
  let found: string | undefined
  for (const said of text.matchAll(SAID)) {
    const [, saidAttribute, saidPlace, value, changed, gone, date, visitedPlace, rentedPlace, itsAttribute, itsValue] = said
    if (rentedPlace !== undefined) rented = rentedPlace
    if (date !== undefined && visitedPlace === visited) found = date
    if (saidAttribute === attribute && saidPlace === place && saidPlace !== undefined) found = value ?? changed ?? (gone && 'none')
    if (
      itsAttribute !== undefined &&
      rented !== undefined &&
      itsAttribute === (attribute ?? pronoun) &&
      (place === undefined || rented === place)
    )
      found = itsValue
  }
  return found
}

/** Answers with the value, `none`, or that it does not know. */
export function chatOracle(options: { readonly window?: number } = {}): ScriptedModel {
  return scriptedModel({
    id: 'chat-oracle',
    ...options,
    fallback: ({ messages }) => {
      const prompt = messages.at(-1)?.content ?? ''
      return answerFrom(prompt, prompt) ?? UNKNOWN
    },
  })
}

/** Judges turns as SCM asks: a turn helps where it speaks of what is asked, and its summary is enough where it still does. */
export function judgeOracle(): ScriptedModel {
  return scriptedModel({
    id: 'judge-oracle',
    window: 32_768,
    fallback: ({ prompt }) => {
      const question = /Newest message: (.*)/.exec(prompt)?.[1] ?? ''
      const turns = prompt.split(/^Turn (?=\d+:\n)/m).slice(1)
      return turns
        .map((turn) => `${Number.parseInt(turn, 10)}: ${verdict(turn.split('\n\nNewest message:')[0] ?? '', question)}`)
        .join('\n')
    },
  })
}

function verdict(turn: string, question: string): string {
  const [text = '', summary] = turn.split(/^Summary of turn \d+: /m)
  const place = /of the ([a-z]+ [a-z]+)\?|visit the ([a-z]+ [a-z]+)\?/.exec(question)
  const subject = place?.[1] ?? place?.[2]
  const speaks = (words: string): boolean =>
    new RegExp(SAID.source, 'i').test(words) && (subject === undefined || words.includes(subject) || /\bIts /.test(words))
  if (!speaks(text)) return 'DROP'
  return summary !== undefined && speaks(summary) ? 'SUMMARY' : 'WHOLE'
}
