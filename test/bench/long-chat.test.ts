import { describe, expect, it } from 'vitest'
import { measureLongChat } from '../../bench/long-chat.ts'
import { generateLongChats } from '../../bench/long-chat-generator.ts'
import { answerFrom, judgeOracle } from '../../bench/long-chat-oracle.ts'

const options = { turns: 2_000, seed: 7, probes: 8 }

describe('generateLongChats', () => {
  const chats = generateLongChats(options)
  const [chat] = chats

  it('is determined by its seed', () => {
    expect(generateLongChats(options)).toEqual(chats)
    expect(generateLongChats({ ...options, seed: 8 })).not.toEqual(chats)
  })

  it('gives as many turns as asked, by user and assistant in turns, with ids of their own', () => {
    expect(chat?.turns).toHaveLength(2_000)
    expect(chat?.turns.every(({ role }, at) => role === (at % 2 === 0 ? 'user' : 'assistant'))).toBe(true)
    const ids = chats.flatMap(({ turns }) => turns.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('holds the answer of each question in its evidence, and no other answer anywhere', () => {
    const forgotten = new Set(chat?.forgotten)
    const turns = new Map(chat?.turns.map((turn) => [turn.id, turn.text]))
    const whole = [...turns].filter(([id]) => !forgotten.has(id)).map(([, text]) => text)
    for (const { kind, question, answer, evidence, before } of chat?.probes ?? []) {
      const told = evidence.map((id) => turns.get(id)).join('\n')
      if (answer !== undefined) expect([kind, answerFrom(told, question)]).toEqual([kind, answer])
      expect([kind, answerFrom(whole.slice(0, before).join('\n'), question)]).toEqual([kind, answer])
    }
  })

  it('has questions of every kind, near and far', () => {
    expect(new Set(chat?.probes.map(({ kind }) => kind)).size).toBe(9)
    const distances = chat?.probes.filter(({ kind }) => kind === 'fact').map(({ distance }) => distance) ?? []
    expect(Math.min(...distances)).toBeLessThan(100)
    expect(Math.max(...distances)).toBeGreaterThan(900)
  })

  it('lets other tenants speak of the same, with other values', () => {
    const [, other] = chats
    const [probe] = chat?.probes ?? []
    const said = other?.turns.map(({ text }) => text).join('\n') ?? ''
    expect(answerFrom(said, probe?.question ?? '')).toMatch(/^99\d+-00$/)
    expect(said).not.toContain(probe?.answer)
  })

  it('refuses a chat that is too short for its facts', () => {
    expect(() => generateLongChats({ turns: 20, seed: 1 })).toThrow(RangeError)
  })
})

describe('the judging oracle', () => {
  it('speaks as the judge is asked to', async () => {
    const prompt =
      'Turn 1:\nWe talked. The door code of the amber mill is 1-2. We left.\nSummary of turn 1: The door code of the amber mill is 1-2.\n\nTurn 2:\nThe tea is cold.\n\nNewest message: What is the door code of the amber mill?'
    expect((await judgeOracle().invoke([{ role: 'user', content: prompt }])).content).toBe('1: SUMMARY\n2: DROP')
  })
})

describe('measureLongChat', () => {
  it('keeps within the budget, leaks nothing, and finds near and far facts', async () => {
    const log: string[] = []
    const run = { quick: true, seed: 42, signal: new AbortController().signal, log: (line: string) => void log.push(line) }
    const { figures, items } = await measureLongChat(run, { turns: 300, probes: 2 })
    expect(figures).toMatchObject({ overBudget: 0, leaks: 0, stale: 0 })
    expect(figures['scmRight']).toBeGreaterThan(figures['slidingWindowRight'] ?? 100)
    expect(figures['bytesPerTurn']).toBeGreaterThan(0)
    expect(items?.length).toBe(9 * 9 * 2)
  })
})
