import { describe, expect, it } from 'vitest'
import { type CommunicationUnit, emptyUnit, type ManagerOutput, NOT_FOUND_TEXT, writingManager } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { countWords, describedAs, scriptedModel, type TestContext, testContext } from './scripted.ts'

const quote = (id: string, text: string): CommunicationUnit['quotes'][number] => ({
  id,
  documentId: 'book',
  chunkIndex: 0,
  start: 0,
  end: text.length,
  text,
  how: 'exact',
})
const UNIT: CommunicationUnit = {
  notes: 'Ahab lost a leg [q1]. His new leg is of ivory [q3].',
  quotes: [quote('q1', 'reaped away his leg'), quote('q2', 'the sea was calm'), quote('q3', 'his ivory leg, white as bone')],
}

interface Answered {
  readonly output: ManagerOutput
  readonly context: TestContext
  readonly prompts: readonly string[]
}

async function answer(
  replies: readonly string[],
  input: { question?: string; unit: CommunicationUnit },
  window: number = 4096,
): Promise<Answered> {
  const model = scriptedModel((_, call) => replies[call] ?? '')
  const context = testContext()
  const output = await writingManager(model, { description: describedAs({ window }) }).run(input, context)
  return { output, context, prompts: model.prompts }
}

const ASKED = { question: 'What is the leg made of?', unit: UNIT }

describe('writingManager', () => {
  it.each([
    ['Ivory [q3].', 'Ivory.', ['q3']],
    ['**Answer:** It is of ivory [q3, q1].', 'It is of ivory.', ['q3', 'q1']],
    ['ANSWER: Ivory (q3)\nQUOTE [q3]: "his ivory leg"', 'Ivory', ['q3']],
    ['It is white as bone [q9].', 'It is white as bone.', ['q3']],
    ['Walrus tusk.', 'Walrus tusk.', ['q3', 'q1']],
  ])('reads %j', async (reply, text, quoteIds) => {
    const { output, context } = await answer([reply], ASKED)
    expect(output).toEqual({ status: 'answered', text, quoteIds })
    expect(context.deltas.join('')).toBe(text)
  })

  it('streams a long answer while it is written, without label and references', async () => {
    const reply = `Answer: ${'The captain lost his leg to the whale [q1]. '.repeat(6)}He has one of ivory [q3], white as bone.\n\nHe is grim.`
    const { output, context } = await answer([reply], ASKED)
    expect(context.deltas.length).toBeGreaterThan(10)
    expect(context.deltas.join('')).toBe(output.text)
    expect(output.text).not.toMatch(/\[|Answer/)
  })

  it.each([
    'NOT FOUND',
    'not found.',
    'The notes do not mention what the leg is made of.',
    'Answer: NOT FOUND',
    'The notes do not mention the leg of the captain at all. '.repeat(4),
  ])('reads %j as not found, and streams none of it', async (reply) => {
    const { output, context } = await answer([reply], ASKED)
    expect(output).toEqual({ status: 'not-found', text: NOT_FOUND_TEXT, quoteIds: [] })
    expect(context.deltas).toEqual([])
  })

  it('sees the notes, the quotations and the question, and nothing else of the text', async () => {
    const { prompts } = await answer(['Ivory'], ASKED)
    for (const part of [UNIT.notes, '[q2] "the sea was calm"', 'Question: What is the leg made of?']) expect(prompts[0]).toContain(part)
  })

  it('asks once more after an empty reply', async () => {
    const { output, context } = await answer(['', 'Ivory [q3].'], ASKED)
    expect(output.text).toBe('Ivory.')
    expect(context.notices).toEqual(['asked-again'])
    expect((await answer(['', ''], ASKED)).output.status).toBe('not-found')
  })

  it('answers an empty unit without a call', async () => {
    const { output, context } = await answer(['Ivory'], { question: 'What?', unit: emptyUnit })
    expect(output.status).toBe('not-found')
    expect(context.calls).toEqual([])
  })

  it('summarises where there is no question', async () => {
    const { output, prompts } = await answer(['I am sorry.', 'Summary: Ahab hunts [q1] the whale.'], { unit: UNIT })
    expect(output).toEqual({ status: 'answered', text: 'Ahab hunts the whale.', quoteIds: ['q1'] })
    expect(prompts[0]).toContain('Write a summary')
    expect(prompts[0]).not.toContain('Question')
  })

  it('brings a unit above its window down and says so', async () => {
    const unit = {
      notes: UNIT.notes,
      quotes: Array.from({ length: 60 }, (_, at) => quote(`q${at + 1}`, `quotation number ${at} of the book`)),
    }
    const { context, output } = await answer(['Ivory [q50].'], { ...ASKED, unit }, 400)
    const sent = context.calls[0]!
    expect(sent.maxTokens + sent.messages.reduce((sum, { content }) => sum + countWords(content) + 4, 0)).toBeLessThanOrEqual(400)
    expect(context.notices).toEqual(['evidence-dropped'])
    expect(output.quoteIds).toEqual(['q50'])
  })

  it('refuses a window too small for its prompt', async () => {
    await expect(answer(['Ivory'], ASKED, 90)).rejects.toThrow(ContextOverflowError)
  })
})
