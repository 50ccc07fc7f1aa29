import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { BenchSkipped } from '../../bench/bench.ts'
import { measureLocomo } from '../../bench/locomo.ts'
import { locomoFile, parseLocomo } from '../../bench/locomo-data.ts'
import { scriptedEmbedder } from '../../testing/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'locomo-'))
afterAll(() => rm(folder, { recursive: true }))

const said = ['The tea is cold.', 'I painted a sunrise over the harbour.', 'How lovely!', 'My dog is called Rex.']
const row = {
  sample_id: 'conv-1',
  conversation: {
    speaker_a: 'Ada',
    speaker_b: 'Bob',
    session_1_date_time: '1:56 pm on 8 May, 2023',
    session_1: said.map((text, at) => ({ speaker: at % 2 === 0 ? 'Ada' : 'Bob', dia_id: `D1:${at + 1}`, text })),
    session_2_date_time: '2 pm on 9 May, 2023',
    session_2: [{ speaker: 'Ada', dia_id: 'D2:1', text: 'Look at this.', blip_caption: 'a photo of a boat' }],
  },
  qa: [
    { question: 'Who painted a sunrise?', answer: 'Bob', evidence: ['D1:2'], category: 4 },
    { question: "What are the dog's name and the picture?", answer: 'Rex', evidence: ['D01:04; D2:1', 'D9:9'], category: 1 },
    { question: 'What is the capital?', answer: 1, category: 3 },
  ],
}

describe('parseLocomo', () => {
  it('reads turns of all sessions with their dates and captions, and evidence that is written oddly', () => {
    const { turns, questions } = parseLocomo(row)
    expect(turns.map(({ id }) => id)).toEqual(['D1:1', 'D1:2', 'D1:3', 'D1:4', 'D2:1'])
    expect(turns.at(-1)).toMatchObject({ text: 'Look at this. [shows a photo of a boat]', date: '2 pm on 9 May, 2023' })
    expect(questions.map(({ evidence }) => evidence)).toEqual([['D1:2'], ['D1:4', 'D2:1'], []])
  })
})

describe('measureLocomo', () => {
  const options = { quick: true, seed: 1, signal: new AbortController().signal, log: () => undefined }
  const scale = { conversations: 1, open: async () => scriptedEmbedder(), cache: folder }

  it('measures recall by category and within budgets, and embeds once', async () => {
    await writeFile(join(folder, locomoFile), gzipSync(`${JSON.stringify(row)}\n`))
    const first = await measureLocomo({ ...options, data: folder }, scale)
    expect(first.figures).toMatchObject({ recall10: 100, singleHopRecall10: 100, full: 100 })
    expect(first.settings).toMatchObject({ questions: 2 })
    const embedder = scriptedEmbedder()
    const second = await measureLocomo({ ...options, data: folder }, { ...scale, open: async () => embedder })
    expect(second.figures).toEqual(first.figures)
    expect(embedder.embedded).toBe(0)
  })

  it('is skipped without its data', async () => {
    await expect(measureLocomo(options, scale)).rejects.toThrow(BenchSkipped)
  })
})
