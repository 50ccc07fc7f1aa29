import { describe, expect, it } from 'vitest'
import { likelihoodNeedJudge, likelihoodTurnJudge, needJudge, replier, turnJudge, turnSummary } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { scriptedLikelihoodModel } from '../../testing/index.ts'
import { describedAs, scriptedModel, testContext } from './scripted.ts'

const description = describedAs()
const turns = [
  { text: 'The whale is white.', summary: 'White whale.' },
  { text: 'The tea is cold.', summary: 'Cold tea.' },
  { text: 'Ahab hunts.' },
]
const question = 'What colour is the whale?'

describe('turnJudge', () => {
  it.each([
    ['one line a turn', '1: WHOLE\n2: DROP\n3: DROP', ['raw', 'dropped', 'dropped']],
    ['other words and signs', '**Turn 1** - summary\n- 2) drop.\nTurn 3: whole', ['summary', 'dropped', 'raw']],
    ['a turn without a verdict, which stays whole', '2: DROP', ['raw', 'dropped', 'raw']],
    ['a summary where there is none, which stays whole', '1: SUMMARY\n2: SUMMARY\n3: SUMMARY', ['summary', 'summary', 'raw']],
    ['two verdicts on a turn, of which the first counts', '1: DROP\n1: WHOLE\n2: DROP\n3: DROP', ['dropped', 'dropped', 'dropped']],
    ['a turn that there is not', '1: DROP\n2: DROP\n3: DROP\n4: WHOLE', ['dropped', 'dropped', 'dropped']],
  ])('reads %s', async (_, reply, forms) => {
    const context = testContext()
    expect(
      await turnJudge(
        scriptedModel(() => reply),
        { description },
      ).run({ question, turns }, context),
    ).toEqual({ forms, calls: 1 })
    expect(context.notices).toEqual([])
  })

  it('asks about each turn in two plain questions where a reply holds no verdict', async () => {
    const replies = ['I would keep the first one.', 'Yes.', 'YES', 'No', 'Hm.']
    const context = testContext()
    const model = scriptedModel((_, call) => replies[call] ?? '')
    expect(await turnJudge(model, { description }).run({ question, turns }, context)).toEqual({
      forms: ['summary', 'dropped', 'raw'],
      calls: 5,
    })
    expect(context.notices).toEqual(['no-verdict'])
    expect(model.prompts[2]).toContain('White whale.')
  })

  it('asks in two questions from the start with a batch of one, and keeps what it is not told', async () => {
    const model = scriptedModel(() => 'What do you mean?')
    expect(await turnJudge(model, { description, batch: 1 }).run({ question, turns }, testContext())).toEqual({
      forms: ['raw', 'raw', 'raw'],
      calls: 5,
    })
  })

  it('splits turns over calls that fit the window, and judges a longer one by its beginning', async () => {
    const small = describedAs({ window: 300, maxOutput: 120 })
    const many = Array.from({ length: 6 }, () => ({ text: 'word '.repeat(400) }))
    const context = testContext()
    const model = scriptedModel(() => '1: DROP')
    const { forms, calls } = await turnJudge(model, { description: small, batch: 4 }).run({ question, turns: many }, context)
    expect(forms).toHaveLength(6)
    expect(calls).toBe(context.calls.length)
    for (const { messages, maxTokens } of context.calls) {
      expect(messages.reduce((sum, { content }) => sum + small.count(content) + small.perMessage, maxTokens)).toBeLessThanOrEqual(
        small.window,
      )
    }
  })

  it('needs no call without turns', async () => {
    expect(
      await turnJudge(
        scriptedModel(() => ''),
        { description },
      ).run({ question, turns: [] }, testContext()),
    ).toEqual({ forms: [], calls: 0 })
  })

  it('refuses a batch that is none', () => {
    expect(() =>
      turnJudge(
        scriptedModel(() => ''),
        { description, batch: 0 },
      ),
    ).toThrow(RangeError)
  })

  it('depends on the question and on texts and summaries alone', () => {
    const judge = turnJudge(
      scriptedModel(() => ''),
      { description },
    )
    expect(judge.key({ question, turns })).toEqual({
      question,
      turns: [
        ['The whale is white.', 'White whale.'],
        ['The tea is cold.', 'Cold tea.'],
        ['Ahab hunts.', null],
      ],
    })
    expect(judge.estimate({ question, turns }).calls).toBe(1)
  })
})

describe('likelihoodTurnJudge', () => {
  it('goes by how much likelier a turn, and its summary, make the message', async () => {
    const model = scriptedLikelihoodModel()
    const judged = [
      { text: 'the colour of the whale is what', summary: 'the colour of the whale is what' },
      { text: 'the colour of the whale is what', summary: 'a whale' },
      { text: 'tea and bread', summary: 'tea' },
      { text: 'what colour is the whale' },
    ]
    expect(await likelihoodTurnJudge(model).run({ question, turns: judged }, testContext())).toEqual({
      forms: ['summary', 'raw', 'dropped', 'raw'],
      calls: 1,
    })
  })

  it('drops what says no more than most turns of the message do, and keeps all that say much', async () => {
    const model = scriptedLikelihoodModel()
    const some = Array.from({ length: 9 }, () => ({ text: 'a whale is here' }))
    const much = Array.from({ length: 2 }, () => ({ text: 'what colour is the whale' }))
    const formsOf = async (options = {}): Promise<readonly string[]> =>
      (await likelihoodTurnJudge(model, options).run({ question, turns: [...some, ...much] }, testContext())).forms
    expect(await formsOf()).toEqual([...some.map(() => 'dropped'), 'raw', 'raw'])
    expect(await formsOf({ outstanding: 0 })).toEqual([...some, ...much].map(() => 'raw'))
  })

  it('reads no more than the window of a long turn and a long message', async () => {
    const model = scriptedLikelihoodModel({ window: 100 })
    const long = 'whale '.repeat(1_000)
    const { forms } = await likelihoodTurnJudge(model).run({ question: long, turns: [{ text: long }] }, testContext())
    expect(forms).toEqual(['raw'])
  })
})

describe('needJudge', () => {
  it.each([
    ['YES', true],
    ['No.', false],
    ['Perhaps', true],
    ['', true],
  ])('takes %j as %s', async (reply, needed) => {
    expect(
      await needJudge(
        scriptedModel(() => reply),
        { description },
      ).run({ question }, testContext()),
    ).toEqual({ needed, calls: 1 })
  })

  it('weighs yes against no by likelihoods, less what an empty message gives', async () => {
    const model = scriptedLikelihoodModel()
    const ask = (text: string): Promise<{ needed: boolean }> =>
      likelihoodNeedJudge(model, { threshold: 0.1 }).run({ question: text }, testContext())
    expect(await ask('yes it was')).toMatchObject({ needed: true })
    expect(await ask('good morning')).toMatchObject({ needed: false })
  })
})

describe('turnSummary', () => {
  const long = `${'word '.repeat(60)}The whale is white.`
  const summary = (reply: string): ReturnType<typeof turnSummary> =>
    turnSummary(
      scriptedModel(() => reply),
      { description, shortest: 20 },
    )

  it('shortens long turns and leaves short ones', async () => {
    expect(await summary('Summary: The whale is white.').run({ text: long }, testContext())).toEqual({ summary: 'The whale is white.' })
    const context = testContext()
    expect(await summary('x').run({ text: 'The whale is white.' }, context)).toEqual({ flag: 'short' })
    expect(context.calls).toEqual([])
  })

  it.each([
    ['empty', ' \n'],
    ['refusal', 'I cannot help with that.'],
    ['longer', Array.from({ length: 80 }, (_, at) => `w${at}`).join(' ')],
    ['script', '鲸鱼是白色的。'],
  ])('leaves the turn to its own words where the reply is %s', async (flag, reply) => {
    const context = testContext()
    expect(await summary(reply).run({ text: long }, context)).toEqual({ flag })
    expect(context.notices).toEqual([flag])
  })

  it('keeps a summary in the script of its turn', async () => {
    expect(await summary('鲸鱼是白色的。').run({ text: '鲸鱼是白色的，船长追赶它。'.repeat(20) }, testContext())).toEqual({
      summary: '鲸鱼是白色的。',
    })
  })

  it('summarises the beginning of a turn that is longer than the window, and says so', async () => {
    const context = testContext()
    expect(await summary('The whale is white.').run({ text: 'whale '.repeat(2_000_000) }, context)).toEqual({
      summary: 'The whale is white.',
    })
    expect(context.notices).toEqual(['turn-cut'])
  })
})

describe('replier', () => {
  const model = scriptedModel(() => 'Ahab it is.')

  it('shows turns in order with who said them and when, then the message', async () => {
    const memory = [
      { role: 'user', text: 'The captain is Ahab.', at: Date.UTC(1851, 9, 18) },
      { role: 'assistant', text: 'Noted.' },
      { role: 'tool', text: 'x', at: 1e20 },
    ] as const
    const context = testContext()
    expect(await replier(model, { description }).run({ memory, message: 'Who?' }, context)).toBe('Ahab it is.')
    expect(context.deltas.join('')).toBe('Ahab it is.')
    expect(context.calls[0]?.messages[1]?.content).toBe(
      'Earlier in this conversation, in order of time:\n[1851-10-18] User: The captain is Ahab.\nAssistant: Noted.\n[undated] Tool: x\n\nNewest message:\nWho?',
    )
  })

  it('leaves as much room as keeps the prompt within its limit', () => {
    const self = replier(model, { description, budget: 200 })
    const room = self.room('Who is it?')
    const line = 'a turn of seven words in all'
    const memory = Array.from({ length: Math.floor(room / self.lineTokens(line)) }, () => ({
      role: 'assistant' as const,
      text: line,
      at: 0,
    }))
    expect(self.promptTokens({ memory, message: 'Who is it?' })).toBeLessThanOrEqual(self.limit)
    expect(self.limit).toBe(200)
    expect(() => self.room('word '.repeat(300))).toThrow(ContextOverflowError)
  })

  it.each([-1, 1.5])('refuses a budget of %s', (budget) => {
    expect(() => replier(model, { description, budget })).toThrow(RangeError)
  })
})
