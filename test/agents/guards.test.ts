import { describe, expect, it } from 'vitest'
import { guardNotes, isRefusal, withoutRefusals } from '../../agents/index.ts'

describe('isRefusal', () => {
  it.each([
    'Not mentioned.',
    'not found',
    'N/A',
    'None',
    "I don't know.",
    'I don’t know the answer to this question.',
    'The text does not mention the white whale.',
    "The passage doesn't provide any information about the captain.",
    'There is no information about that in this part.',
    'No new information.',
    'There is no information about the whale.',
    'The excerpt contains no relevant information.',
    'No relevant evidence was found in this chunk.',
    'Nothing new here.',
    'The notes remain unchanged.',
    'No changes are needed.',
    'I am sorry, but as an AI language model I cannot read this.',
    'The name is not mentioned in the text.',
    'This question cannot be answered. The provided excerpt does not contain the answer.',
    'There is not enough information to tell.',
  ])('takes %j for a refusal', (text) => expect(isRefusal(text)).toBe(true))

  it.each([
    'Ahab lost his leg to the whale.',
    'No man aboard the ship had seen the captain.',
    'There was no evidence of a struggle in the house.',
    'He gave no answer to the hail of the ship.',
    'The prosecutor found no evidence in the letters.',
    'He did not answer the hail of the other ship.',
    'Nothing could be seen of the boat after the storm.',
    'The text does not mention a penalty for late delivery [q2].',
    'The whale is white. The text does not mention its length.',
    'The letter was not found until spring.',
    'He is not mentioned in the will of his father.',
    '42',
  ])('takes %j for what it says', (text) => expect(isRefusal(text)).toBe(false))

  it('strips refusals and leaves the rest as it was', () => {
    expect(withoutRefusals('The whale is white [q1]. The text does not mention its length.\nNo new information.')).toBe(
      'The whale is white [q1].',
    )
  })
})

const LONG =
  'Ahab commands the Pequod and hunts the white whale that took his leg [q1]. Starbuck, the first mate, opposes him on the quarter deck [q2].'
const ORDERS =
  'Rewrite the earlier notes so that they hold all that helps to answer the question: keep what they say and add what this part says.'

describe('guardNotes', () => {
  it.each([
    ['empty', ' … '],
    ['refusal', 'The passage does not say.'],
    ['repeated', 'whale whale whale whale whale whale'],
    ['repeated', 'The ship sails on. The ship sails on. The ship sails on. The ship sails on.'],
    ['echo', 'Keep what they say and add what this part says, so that they hold all that helps to answer the question.'],
    ['shrunk', 'Ahab hunts a whale.'],
  ] as const)('flags %s', (flag, notes) => expect(guardNotes(notes, { previous: LONG, instruction: ORDERS })).toBe(flag))

  it.each([
    ['a rewrite of equal length', `${LONG} Ishmael tells it.`, LONG],
    ['a shorter rewrite that keeps its references', 'Ahab hunts the whale [q1]; Starbuck opposes him [q2].', LONG],
    ['a single word where there was nothing', 'Queequeg', ''],
    ['a figure of speech that repeats a word thrice', 'Far, far, far away lies the island of Kokovoko.', ''],
  ])('lets %s pass', (_, notes, previous) => expect(guardNotes(notes, { previous, instruction: ORDERS })).toBeUndefined())

  it('lets notes shrink when the unit was near its budget', () => {
    expect(guardNotes('Ahab hunts a whale.', { previous: LONG, instruction: ORDERS, mayShrink: true })).toBeUndefined()
  })
})
