import { describe, expect, it } from 'vitest'
import { openLocalModel } from '../../models/index.ts'
import { ask, createMemoryJournal, homer } from '../../workflows/index.ts'
import { story } from './story.ts'

const fact = "The captain's parrot is called Bartholomew and speaks Dutch."

describe('homer on the bundled model', { timeout: 300_000 }, () => {
  it('keeps the sentence that answers among 2,000 tokens, and shows it', async () => {
    await using model = await openLocalModel()
    const journal = createMemoryJournal()
    const document = story(120, { 71: fact })
    const strategy = homer({ model, chunkTokens: 512, keep: 160 })
    const { citations, coverage, runId } = await ask(document, "What is the captain's parrot called?", { strategy, journal }).result
    expect(citations[0]?.quote).toContain(fact)
    expect(coverage.read).toBe(4)
    const reading = (await journal.listSteps(runId)).find(({ agent }) => agent === 'homer-reader')
    const { passages } = JSON.parse(reading?.output ?? '{}') as { passages: { start: number; end: number }[] }
    expect(passages.length).toBeLessThan(30)
    expect(passages.slice(0, 6).map(({ start, end }) => document.slice(start, end))).toContain(fact)
  })
})
