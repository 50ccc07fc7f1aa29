import { describe, expect, it } from 'vitest'
import { judge, type JudgeOutput, type PathResult, vote } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { countWords, describedAs, scriptedModel, type TestContext, testContext } from './scripted.ts'

function path(text: string | undefined, quotes: number, notes: string = `Notes for ${text}.`): PathResult {
  const ids = Array.from({ length: quotes }, (_, at) => `q${at + 1}`)
  const unit = {
    notes,
    quotes: ids.map((id) => ({ id, documentId: 'book', chunkIndex: 0, start: 0, end: 8, text: `words ${id}`, how: 'exact' as const })),
  }
  const output =
    text === undefined
      ? ({ status: 'not-found', text: 'None.', quoteIds: [] } as const)
      : ({ status: 'answered', text, quoteIds: ids } as const)
  return { path: 'forward', unit, output }
}

describe('vote', () => {
  it.each([
    ['the majority', [path('Ivory', 1), path('Wood', 9), path('the ivory.', 1)], 0],
    ['of equals the one with more evidence', [path('Wood', 1), path('Ivory', 3)], 1],
    ['then the first', [path('Wood', 2), path('Ivory', 2)], 0],
    ['within the majority the path with most evidence', [path('Ivory', 1), path('Wood', 9), path('An IVORY', 2)], 2],
    ['an answer before silence', [path(undefined, 0), path('Ivory', 1)], 1],
    ['silence where most are silent', [path(undefined, 0), path('Ivory', 1), path(undefined, 0)], 0],
  ])('takes %s', (_, paths, chosen) => expect(vote(paths).chosen).toBe(chosen))

  it('counts normalised answers', () => {
    const { counts } = vote([path('The Ivory!', 1), path('ivory', 1), path(undefined, 0)])
    expect([...counts]).toEqual([
      ['ivory', 2],
      ['', 1],
    ])
  })

  it('refuses no paths', () => expect(() => vote([])).toThrow(RangeError))
})

async function decide(
  reply: string,
  paths: readonly PathResult[],
  window: number = 2048,
): Promise<{ output: JudgeOutput; context: TestContext }> {
  const context = testContext()
  const output = await judge(
    scriptedModel(() => reply),
    { description: describedAs({ window }) },
  ).run({ question: 'Of what is it?', paths }, context)
  return { output, context }
}

const PATHS = [path('Wood', 2), path('Ivory', 1), path('Wood', 1)]

describe('judge', () => {
  it.each([
    ['READER: 2\nANSWER: Ivory [q1].', { status: 'answered', text: 'Ivory.', quoteIds: ['q1'], chosen: 1 }],
    ['**READER:** 3\n**ANSWER:** Wood', { status: 'answered', text: 'Wood', quoteIds: [], chosen: 2 }],
    ['Reader 2 is the most reliable.\nANSWER: Ivory', { status: 'answered', text: 'Ivory', quoteIds: [], chosen: 1 }],
    ['NOT FOUND', { status: 'not-found', quoteIds: [], chosen: 0 }],
  ])('reads %j', async (reply, output) => expect((await decide(reply, PATHS)).output).toMatchObject(output))

  it.each([
    ['', 0],
    ['READER: 9\nANSWER: Ivory', 0],
    ['ANSWER: Ivory', 0],
    ['READER: 2\nANSWER: I do not know.', 1],
  ])('falls back where the reply is %j', async (reply, chosen) => {
    const { output, context } = await decide(reply, PATHS)
    expect(output).toEqual({ ...PATHS[chosen]!.output, chosen })
    expect(context.notices).toEqual(['judge-replaced'])
  })

  it('makes no call where no path has an answer', async () => {
    const { output, context } = await decide('READER: 1', [path(undefined, 0), path(undefined, 0)])
    expect(output.status).toBe('not-found')
    expect(context.calls).toEqual([])
  })

  it('gives each of the paths its share of the window', async () => {
    const long = Array.from({ length: 5 }, (_, at) => path(`Answer ${at}`, 60))
    const { context } = await decide('READER: 1\nANSWER: Wood', long, 1200)
    const sent = context.calls[0]!
    expect(sent.maxTokens + sent.messages.reduce((sum, { content }) => sum + countWords(content) + 4, 0)).toBeLessThanOrEqual(1200)
    for (const at of [1, 2, 3, 4, 5]) expect(sent.messages.at(-1)?.content).toContain(`Reader ${at}:\nNotes for Answer`)
  })

  it('refuses more paths than the window has room for', async () => {
    await expect(
      decide(
        'READER: 1',
        Array.from({ length: 90 }, () => PATHS[0]!),
        1200,
      ),
    ).rejects.toThrow(ContextOverflowError)
  })
})
