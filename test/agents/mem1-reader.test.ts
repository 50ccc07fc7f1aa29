import { describe, expect, it } from 'vitest'
import { type CommunicationUnit, emptyUnit, mem1Reader, type Quote } from '../../agents/index.ts'
import { chunkOf, countWords, describedAs, scriptedModel, testContext } from './scripted.ts'

const TEXT = 'Ahab lost his leg. Queequeg carries a harpoon. The Pequod left Nantucket on Christmas Day.'
const question = 'What does Queequeg carry?'

const quote = (id: string, text: string): Quote => ({
  id,
  documentId: 'book',
  chunkIndex: 0,
  start: 0,
  end: text.length,
  text,
  how: 'exact',
})

async function readingOf(replies: readonly string[], unit: CommunicationUnit = emptyUnit, stateTokens = 60) {
  const model = scriptedModel((_, call) => replies[call] ?? '')
  const reader = mem1Reader(model, { description: describedAs(), stateTokens })
  const context = testContext()
  const input = { chunk: chunkOf(TEXT, 1_000, 7), question, unit }
  const recorded = await reader.run(input, context)
  return { ...reader.place(recorded, input), recorded, prompts: model.prompts, notices: context.notices, calls: context.calls }
}

const before: CommunicationUnit = {
  notes: 'The hunt begins [q1].',
  quotes: [quote('q1', 'the hunt begins'), quote('q2', 'a coffin floats'), quote('q9', 'the whale is white')],
}

describe('mem1Reader()', () => {
  it('writes its state anew and keeps quotations beside it, set in the document', async () => {
    const { unit, found } = await readingOf(
      ['NOTES: The hunt begins [q1]; he has a harpoon [q10].\nQUOTE [q10]: "Queequeg carries a harpoon."'],
      before,
    )
    expect(unit.notes).toBe('The hunt begins [q1]; he has a harpoon [q10].')
    expect(unit.quotes.map(({ id, text }) => [id, text])).toEqual([
      ...before.quotes.map(({ id, text }) => [id, text]),
      ['q10', 'Queequeg carries a harpoon.'],
    ])
    expect([found, unit.quotes.at(-1)?.start, unit.quotes.at(-1)?.chunkIndex]).toEqual([true, 1_019, 7])
  })

  it('shows the state and never the quotations', async () => {
    const { prompts } = await readingOf(['NOTHING NEW'], before)
    expect(prompts[0]).toContain('The hunt begins [q1].')
    expect(prompts[0]).toContain('numbered from [q10]')
    expect(prompts[0]).not.toContain('a coffin floats')
  })

  it.each<[string, string, string]>([
    ['numbers that begin anew', 'NOTES: He has a harpoon [q10].\nQUOTE [q1]: "Queequeg carries a harpoon."', 'He has a harpoon [q10].'],
    ['no numbers', 'NOTES: He has a harpoon [q10].\nQUOTE: "Queequeg carries a harpoon."', 'He has a harpoon [q10].'],
    ['a number with a gap', 'NOTES: He has a harpoon [q12].\nQUOTE [q12]: "Queequeg carries a harpoon."', 'He has a harpoon [q10].'],
    [
      'a quotation that is not there before one that is',
      'NOTES: He has a harpoon [q11], an axe [q10].\nQUOTE [q10]: "Queequeg carries an axe."\nQUOTE [q11]: "Queequeg carries a harpoon."',
      'He has a harpoon [q10], an axe.',
    ],
    ['references to nothing', 'NOTES: He has a harpoon [q44].\nQUOTE [q10]: "Queequeg carries a harpoon."', 'He has a harpoon.'],
  ])('understands %s', async (_, reply, notes) => {
    const { unit } = await readingOf([reply], { ...before, notes: '' })
    expect(unit.notes).toBe(notes)
    expect(unit.quotes.at(-1)).toMatchObject({ id: 'q10', text: 'Queequeg carries a harpoon.' })
  })

  it.each<[string, string, string]>([
    ['empty', ' ', 'empty'],
    ['in a loop', `NOTES: ${'he has a harpoon '.repeat(8)}`, 'repeated'],
  ])('asks once more for a reply that is %s, and keeps the state where that does not help', async (_, reply, flag) => {
    const { unit, notices, calls } = await readingOf([reply, reply], before)
    expect([unit.notes, calls.length]).toEqual([before.notes, 2])
    expect(notices).toEqual(['asked-again', flag])
  })

  it('keeps the state after a refusal, without asking again', async () => {
    const { unit, calls, found } = await readingOf(['NOTES: The text does not mention what Queequeg carries.'], before)
    expect([unit.notes, calls.length, found]).toEqual([before.notes, 1, false])
  })

  it('cuts a state above its cap between sentences, and says so', async () => {
    const long = Array.from({ length: 20 }, (_, at) => `Sailor ${at} sleeps in berth ${at + 20}.`).join(' ')
    const { unit, notices, recorded } = await readingOf([`NOTES: ${long}`])
    expect(countWords(unit.notes)).toBeLessThanOrEqual(60)
    expect(unit.notes).toMatch(/^Sailor 0 .*\.$/)
    expect([notices, recorded.flags]).toEqual([['state-cut'], ['state-cut']])
  })

  it('has a key of its state, not of the quotations that lie beside it', () => {
    const reader = mem1Reader(
      scriptedModel(() => ''),
      { description: describedAs() },
    )
    const key = (unit: CommunicationUnit): unknown => reader.key({ chunk: chunkOf(TEXT), question, unit })
    const other = { ...before, quotes: before.quotes.map((one) => ({ ...one, text: 'other words' })) }
    expect(key(other)).toEqual(key(before))
    expect(key({ ...before, notes: 'another state' })).not.toEqual(key(before))
  })
})
