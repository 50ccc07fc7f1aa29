import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { needJudge, turnJudge, type TurnJudge } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { createMemoryStore, type MemoryStore, type NewTurn } from '../../memory/index.ts'
import { scriptedEmbedder, scriptedModel } from '../../testing/index.ts'
import {
  type ControllerOptions,
  fullHistory,
  type MemoryController,
  naiveMemory,
  scmController,
  type ScmControllerOptions,
  type Selection,
  slidingWindow,
  summaryBuffer,
  truncateHistory,
} from '../../workflows/index.ts'

const count = (text: string): number => text.match(/\S+/g)?.length ?? 0
const scope = 'ada'
const threadId = 'chat'

async function storeOf(turns: readonly (string | Partial<NewTurn>)[]): Promise<MemoryStore> {
  const memory = createMemoryStore()
  const records = turns.map((turn, at): NewTurn => {
    const given = typeof turn === 'string' ? { text: turn } : turn
    return { id: `t${at}`, kind: 'turn', role: at % 2 === 0 ? 'user' : 'assistant', createdAt: at, text: '', ...given }
  })
  await memory.append(scope, threadId, records)
  return memory
}

async function optionsOf(turns: readonly (string | Partial<NewTurn>)[]): Promise<ControllerOptions> {
  return { memory: await storeOf(turns), count, now: () => 1_000 }
}

const select = (controller: MemoryController, text: string, budget: number, before?: number): Promise<Selection> =>
  controller.select({ scope, threadId, text, ...(before === undefined ? {} : { before }) }, budget)

const forms = ({ items }: Selection): string[] => items.map(({ id, form }) => `${id} ${form}`)

const whale = 'The white whale bit off the leg of the captain.'
const long = (fact: string): string => `${'we talked on and on '.repeat(10)}${fact}`
const talk = [
  'Good morning.',
  'Good morning to you.',
  whale,
  'How dreadful.',
  'The tea is cold.',
  'I am sorry to hear that.',
  'And the bread is stale.',
  'Noted.',
]

const controllers: readonly (readonly [string, (options: ControllerOptions) => MemoryController])[] = [
  ['sliding-window', slidingWindow],
  ['truncate', truncateHistory],
  ['summary-buffer', summaryBuffer],
  ['naive-memory', naiveMemory],
  ['scm', scmController],
  ['scm with a judge', (options) => scmController({ ...options, judge: judgeThatSays('1: SUMMARY\n2: DROP') })],
  ['scm without flash memory', (options) => scmController({ ...options, without: ['flash'] })],
]

function judgeThatSays(reply: string): TurnJudge {
  return turnJudge(scriptedModel({ fallback: reply }))
}

describe.each(controllers)('%s', (_, create) => {
  it('never exceeds the budget, whatever the turns and the budget', async () => {
    const turn = fc.record({ text: fc.string({ maxLength: 60 }), summary: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 12 }), fc.nat(40), fc.string({ maxLength: 20 }), async (turns, budget, text) => {
        const options = await optionsOf(turns.map(({ summary, ...rest }) => ({ ...rest, ...(summary === undefined ? {} : { summary }) })))
        const { items, tokens } = await select(create(options), text, budget)
        expect(tokens).toBeLessThanOrEqual(budget)
        expect(tokens).toBe(items.reduce((sum, item) => sum + count(item.text), 0))
        expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
        for (const item of items) {
          expect(item.why).not.toBe('')
          expect(item.text).toBe(item.form === 'dropped' ? '' : item.form === 'raw' ? item.record.text : item.record.summary)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('keeps what it keeps in order of time, and looks only before a place', async () => {
    const { items } = await select(create(await optionsOf(talk)), 'whale tea', 100, 4)
    const kept = items.filter(({ form }) => form !== 'dropped').map(({ record }) => record.index)
    expect(kept).toEqual(kept.toSorted((a, b) => a - b))
    expect(Math.max(...items.map(({ record }) => record.index))).toBeLessThan(4)
  })

  it('passes over what has expired', async () => {
    const options = await optionsOf([
      { text: whale, expiresAt: 999 },
      'Noted.',
      { text: 'The whale is white.', expiresAt: 1_001 },
      'Noted.',
    ])
    expect((await select(create(options), 'whale', 100)).items.map(({ id }) => id)).not.toContain('t0')
  })

  it.each([-1, 0.5, Number.NaN, Infinity])('refuses a budget of %s', async (budget) => {
    await expect(select(create(await optionsOf(talk)), 'whale', budget)).rejects.toThrow(RangeError)
  })

  it('selects nothing of an empty conversation', async () => {
    expect(await select(create(await optionsOf([])), 'whale', 100)).toEqual({ items: [], tokens: 0, calls: 0 })
  })
})

describe('fullHistory', () => {
  it('keeps every turn, or says what does not fit', async () => {
    const controller = fullHistory(await optionsOf(talk))
    expect((await select(controller, 'whale', 100)).items).toHaveLength(8)
    await expect(select(controller, 'whale', 10)).rejects.toThrow(ContextOverflowError)
  })
})

describe('the controllers without a search', () => {
  it('keep the newest turns: as many as are wanted, or as fit', async () => {
    const options = await optionsOf(talk)
    expect(forms(await select(slidingWindow({ ...options, turns: 2 }), '', 100))).toEqual(['t6 raw', 't7 raw'])
    expect(forms(await select(slidingWindow({ ...options, turns: 0 }), '', 100))).toEqual([])
    expect(forms(await select(truncateHistory(options), '', 8))).toEqual(['t6 raw', 't7 raw', 't5 dropped'])
  })

  it('shorten older turns to their summaries', async () => {
    const options = await optionsOf([{ text: long(whale), summary: 'A whale.' }, 'How dreadful.', 'The tea is cold.', 'Noted.'])
    expect(forms(await select(summaryBuffer(options), '', 12))).toEqual(['t0 summary', 't1 raw', 't2 raw', 't3 raw'])
  })
})

describe('naiveMemory', () => {
  it('keeps the nearest turns whole until the next does not fit', async () => {
    const options = await optionsOf([whale, 'Noted.', long('whale whale'), 'Noted.', 'A whale again.', 'Noted.'])
    const selection = await select(naiveMemory({ ...options, neighbours: 0 }), 'white whale captain', 20)
    expect(selection.items.find(({ id }) => id === 't0')?.form).toBe('raw')
    expect(selection.items.find(({ id }) => id === 't2')?.form).toBe('dropped')
  })
})

describe('scmController', () => {
  const scm = async (
    turns: readonly (string | Partial<NewTurn>)[],
    options: Partial<ScmControllerOptions> = {},
  ): Promise<MemoryController> => scmController({ ...(await optionsOf(turns)), ...options })

  it('always brings back the turn before, and what a message activates', async () => {
    const selection = await select(await scm(talk, { neighbours: 0 }), 'Who bit the captain?', 40)
    expect(forms(selection)).toEqual(['t2 raw', 't6 raw', 't7 raw'])
    expect(selection.items.map(({ why }) => why)).toEqual(['nearest turn 1 of 1', 'the turn before', 'the turn before'])
    expect(selection.calls).toBe(0)
  })

  it('shortens from the worst match up, leaves the worst out where that is not enough, and says so', async () => {
    const turns = [
      { text: long('whale captain leg'), summary: 'whale captain leg' },
      'Noted.',
      { text: long('whale captain'), summary: 'whale captain' },
      'Noted.',
      { text: long('whale'), summary: 'a whale' },
      'Noted.',
      'Hello.',
      'Hello.',
    ]
    const controller = await scm(turns, { neighbours: 0 })
    expect(forms(await select(controller, 'whale captain leg', 59))).toEqual(['t0 raw', 't2 summary', 't4 summary', 't6 raw', 't7 raw'])
    const tight = await select(controller, 'whale captain leg', 7)
    expect(forms(tight)).toEqual(['t0 summary', 't2 summary', 't6 raw', 't7 raw', 't4 dropped'])
    expect(tight.items.at(-1)?.why).toContain('no room left')
  })

  it('shortens those first whose summary holds what is asked for', async () => {
    const turns = [
      'whale captain leg',
      'Noted.',
      { text: long('whale captain'), summary: 'whale captain' },
      'Noted.',
      { text: long('whale'), summary: 'talk of animals' },
      'Noted.',
      'Hello.',
      'Hello.',
    ]
    const selection = await select(await scm(turns, { neighbours: 0 }), 'whale captain leg', 60)
    expect(forms(selection)).toEqual(['t0 raw', 't2 summary', 't4 raw', 't6 raw', 't7 raw'])
  })

  it('asks for a judgement only above the budget, in one call, and obeys it but for the best match', async () => {
    const turns = [
      'whale captain leg',
      'Noted.',
      { text: long('whale captain'), summary: 'whale captain' },
      'Noted.',
      long('whale'),
      'Noted.',
      'Hello.',
      'Hello.',
    ]
    const judge = judgeThatSays('1: SUMMARY\n2: DROP')
    const controller = await scm(turns, { judge, neighbours: 0 })
    expect((await select(controller, 'whale captain leg', 200)).calls).toBe(0)
    const selection = await select(controller, 'whale captain leg', 60)
    expect(selection.calls).toBe(1)
    expect(forms(selection)).toEqual(['t0 raw', 't2 summary', 't6 raw', 't7 raw', 't4 dropped'])
    expect(selection.items.at(-1)?.why).toBe('judged not to help')
  })

  it('goes by the scores where the judge says nothing, and tells of a judge that cannot be called', async () => {
    const turns = [...Array.from({ length: 6 }, () => ['a white whale', 'Noted.']).flat(), 'Hello.', 'Hello.']
    const refused = scriptedModel({
      fallback: () => {
        throw Object.assign(new Error('401 Incorrect key'), { status: 401 })
      },
    })
    await expect(select(await scm(turns, { judge: turnJudge(refused) }), 'whale', 8)).rejects.toThrow('401')
    const selection = await select(await scm(turns, { judge: judgeThatSays('') }), 'whale', 8)
    expect(selection.tokens).toBeLessThanOrEqual(8)
    expect(selection.items.some(({ form, record }) => form === 'raw' && record.text === 'a white whale')).toBe(true)
  })

  it('activates nothing where memory is judged not to be needed', async () => {
    const need = needJudge(scriptedModel({ fallback: 'NO' }))
    expect(forms(await select(await scm(talk, { need }), 'Who bit the captain?', 100))).toEqual(['t6 raw', 't7 raw'])
    const unsure = needJudge(scriptedModel({ fallback: 'Perhaps.' }))
    expect(forms(await select(await scm(talk, { need: unsure }), 'Who bit the captain?', 100))).toContain('t2 raw')
  })

  it.each([
    ['flash', ['t2 raw']],
    ['activation', ['t6 raw', 't7 raw']],
  ] as const)('does without its %s memory', async (part, expected) => {
    expect(forms(await select(await scm(talk, { without: [part], neighbours: 0 }), 'Who bit the captain?', 40))).toEqual(expected)
  })

  it('shortens nothing without its controller', async () => {
    const turns = [{ text: long(whale), summary: 'A whale.' }, 'Noted.', 'Hello.', 'Hello.']
    expect(forms(await select(await scm(turns, { without: ['controller'], neighbours: 0 }), 'whale', 20))).toEqual([
      't2 raw',
      't3 raw',
      't0 dropped',
    ])
  })

  it('shortens the turn before where it is long', async () => {
    const turns = ['Hello.', { text: long(whale), summary: 'A whale.' }]
    expect(forms(await select(await scm(turns), 'x', 60))).toEqual(['t0 raw', 't1 summary'])
  })

  it('prefers what is recent where recency has a weight', async () => {
    const turns = ['a white whale', 'Noted.', 'a white whale', 'Noted.', 'Hello.', 'Hello.']
    const options = { neighbours: 0, k: 1, recency: { weight: 1, halfLife: 1 }, now: () => 5 }
    expect(forms(await select(await scm(turns, { neighbours: 0, k: 1 }), 'whale', 40))[0]).toBe('t0 raw')
    expect(forms(await select(await scm(turns, options), 'whale', 40))[0]).toBe('t2 raw')
  })

  it('finds by vectors where it has an embedder', async () => {
    const embedder = scriptedEmbedder()
    const vectors = await embedder.embed(talk)
    const controller = await scm(
      talk.map((text, at) => ({ text, vector: vectors[at] as Float32Array })),
      { embedder, k: 1, neighbours: 0 },
    )
    expect(forms(await select(controller, 'the captain of the white whale', 40))[0]).toBe('t2 raw')
  })

  it('copes with a turn of ten megabytes, with NUL bytes and lone surrogates', async () => {
    const turns = ['whale '.repeat(1_700_000), 'Noted.', 'the \u0000 whale \ud800', 'Noted.', 'Hello.', 'Hello.']
    const options = { judge: judgeThatSays('1: WHOLE'), count: (text: string) => Math.ceil(text.length / 4) }
    const selection = await select(await scm(turns, options), 'whale', 30)
    expect(selection.tokens).toBeLessThanOrEqual(30)
    expect(forms(selection)).toContain('t2 raw')
  })

  it('refuses a number of turns that is none', async () => {
    const options = await optionsOf([])
    expect(() => scmController({ ...options, k: -1 })).toThrow(RangeError)
    expect(() => scmController({ ...options, neighbours: 0.5 })).toThrow(RangeError)
  })
})
