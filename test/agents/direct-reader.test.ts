import { describe, expect, it } from 'vitest'
import { directReader, type DirectReaderOutput, NOT_FOUND_TEXT } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { chunkOf, countWords, describedAs, scriptedModel, type TestContext, testContext } from './scripted.ts'

const TEXT = 'Call me Ishmael. The captain has an ivory leg,\nwhite as bone.'
const reader = (replies: readonly string[], window: number = 2048): ReturnType<typeof directReader> =>
  directReader(
    scriptedModel((_, call) => replies[call] ?? ''),
    { description: describedAs({ window }) },
  )

async function read(replies: readonly string[], start: number = 0): Promise<{ output: DirectReaderOutput; context: TestContext }> {
  const agent = reader(replies)
  const context = testContext()
  const input = { text: TEXT, question: 'Of what is the leg?', chunk: chunkOf(TEXT, start) }
  return { output: agent.place(await agent.run(input, context), input), context }
}

describe('directReader', () => {
  it('answers with quotations that are in the text, set in the document, and streams the answer alone', async () => {
    const { output, context } = await read(['ANSWER: It is of ivory.\nQUOTE: "an ivory leg, white as bone"\nQUOTE: "a wooden leg"'], 500)
    const start = TEXT.indexOf('an ivory')
    expect(output).toMatchObject({ status: 'answered', text: 'It is of ivory.', flags: ['unverified-quote'] })
    expect(output.quotes).toMatchObject([
      { id: 'q1', start: 500 + start, end: 500 + TEXT.length - 1, text: 'an ivory leg,\nwhite as bone', how: 'normalised' },
    ])
    expect(context.deltas.join('')).toBe('It is of ivory.')
  })

  it.each([
    [['NOT FOUND'], 1],
    [['ANSWER: The text does not mention it.'], 1],
    [['', ''], 2],
  ])('reads %j as not found', async (replies, calls) => {
    const { output, context } = await read(replies)
    expect(output).toMatchObject({ status: 'not-found', text: NOT_FOUND_TEXT, quotes: [] })
    expect(context.calls).toHaveLength(calls)
    expect(context.deltas).toEqual([])
  })

  it('says what text fits, and a text of that size does', async () => {
    const agent = reader(['ANSWER: Yes.'], 500)
    const text = 'word '.repeat(agent.fits('Of what?'))
    const context = testContext()
    await agent.run({ text, question: 'Of what?', chunk: chunkOf(text) }, context)
    const sent = context.calls[0]!
    expect(sent.maxTokens + sent.messages.reduce((sum, { content }) => sum + countWords(content) + 4, 0)).toBeLessThanOrEqual(500)
    expect(() => agent.fits('why '.repeat(600))).toThrow(ContextOverflowError)
  })

  it('has one key for one text, wherever it stands', () => {
    const agent = reader([])
    expect(agent.key({ text: TEXT, chunk: chunkOf(TEXT, 0) })).toEqual(agent.key({ text: TEXT, chunk: chunkOf(TEXT, 70, 4) }))
  })
})
