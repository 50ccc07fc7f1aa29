import { describe, expect, it } from 'vitest'
import { callModel, type ChatMessage } from '../../models/index.ts'
import { askedKeys, faultyOracleModel, findNeedles, manualClock, needleLine, oracleModel } from '../../testing/index.ts'

const grass = 'The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.'
const line = (key: string, value: string, type = 'numbers'): string => needleLine({ type, key, value })
const prompt = (context: string, question: string): ChatMessage[] => [
  { role: 'system', content: 'Read the text and note what answers the question.' },
  { role: 'user', content: `${context}\n\nQuestion: ${question}` },
]
const whatIs = (keys: string): string => `What are all the special magic numbers for ${keys} mentioned in the provided text?`

describe('askedKeys', () => {
  it.each([
    { question: 'What is the special magic number for quiet-owl mentioned in the provided text?', keys: ['quiet-owl'] },
    { question: whatIs('a-b, c-d, e-f, and g-h'), keys: ['a-b', 'c-d', 'e-f', 'g-h'] },
    { question: whatIs('a-b and c-d'), keys: ['a-b', 'c-d'] },
    { question: 'What are the special magic uuids for 1b-2c in the text?', keys: ['1b-2c'] },
    { question: 'Who sights the whale in the end?', keys: [] },
  ])('of "$question" are $keys', ({ question, keys }) => {
    expect([...askedKeys(question)]).toEqual(keys)
  })
})

describe('the oracle', () => {
  it('repeats the needles that are asked for, from the text and from what was carried on, each once', async () => {
    const context = [
      grass,
      line('quiet-owl', '1234567'),
      grass,
      line('loud-cat', '7654321'),
      line('quiet-owl', '1111111'),
      line('quiet-owl', '1234567'),
    ]
    const { content } = await oracleModel().invoke(prompt(context.join('\n'), whatIs('quiet-owl')))
    expect(content).toBe(`${line('quiet-owl', '1234567')}\n${line('quiet-owl', '1111111')}`)
  })

  it('finds nothing in half a needle', async () => {
    const half = line('quiet-owl', '1234567').slice(0, -4)
    expect((await oracleModel().invoke(prompt(half, whatIs('quiet-owl')))).content).toBe('Nothing relevant.')
  })

  it('can reply in the words that an agent expects', async () => {
    const model = oracleModel({ reply: (needles) => JSON.stringify(needles.map(({ value }) => value)) })
    expect((await model.invoke(prompt(line('a-b', '7'), whatIs('a-b')))).content).toBe('["7"]')
  })

  it('carries a needle through a chain of short windows', async () => {
    const model = oracleModel({ window: 200, maxOutput: 40 })
    const chunks = [grass, `${grass} ${line('a-b', '1234567')}`, grass, `${line('c-d', '7654321')} ${grass}`, grass]
    let unit = ''
    for (const chunk of chunks) unit = (await callModel(model, prompt(`${unit}\n${chunk}`, whatIs('a-b and c-d')))).text
    expect(findNeedles(unit).map(({ value }) => value)).toEqual(['1234567', '7654321'])
  })

  it('refuses a prompt above its window', async () => {
    await expect(oracleModel({ window: 50 }).invoke(prompt(grass.repeat(5), whatIs('a-b')))).rejects.toMatchObject({
      name: 'ContextOverflowError',
    })
  })
})

describe('the faulty oracle', () => {
  const context = (index: number): ChatMessage[] => prompt(`${grass} ${index} ${line('a-b', '1234567')}`, whatIs('a-b'))

  it('errs in the shares it promises, and never invents the true value', async () => {
    const model = faultyOracleModel({ seed: 7 })
    await Promise.allSettled(Array.from({ length: 2000 }, (_, index) => model.invoke(context(index))))
    const share = (kind: string): number => model.calls.filter((call) => call.fault === kind).length / 2000
    expect(['empty', 'wrong', 'timeout', 'duplicate', 'noise'].map((kind) => Math.round(share(kind) * 20) / 20)).toEqual([
      0.1, 0.05, 0.05, 0.05, 0.05,
    ])
    const wrong = model.calls.filter((call) => call.fault === 'wrong')
    expect(wrong.every(({ answer = '' }) => findNeedles(answer).length === 1 && !answer.includes('1234567'))).toBe(true)
  })

  it('gives a true answer after the retries of one owner, unless it lies', async () => {
    const model = faultyOracleModel({
      faults: [
        { kind: 'empty', rate: 0.2 },
        { kind: 'timeout', rate: 0.2 },
      ],
    })
    const clock = manualClock({ jump: true })
    const options = { clock, emptyRetries: 8, retries: 8 }
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => callModel(model, context(index), options)))
    expect(results.every(({ text }) => text === line('a-b', '1234567'))).toBe(true)
    expect(results.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(model.calls.length)
    expect(model.calls.length).toBeGreaterThan(100)
  })
})
