import { describe, expect, it } from 'vitest'
import { createDocument } from '../../chunkers/index.ts'
import { scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import { ask, plan, scm } from '../../workflows/index.ts'

const PARTS = 12
/** Each paragraph has a number of its own, and about 120 tokens. */
const paragraph = (at: number): string => `Paragraph number${at} begins. ${`The sea was calm on day ${at}. `.repeat(16)}It ends.`
const document = createDocument({
  name: 'log.txt',
  text: Array.from({ length: PARTS }, (_, at) => paragraph(at)).join('\n\n'),
  sections: [],
})

const numbersIn = (text: string): string[] => [...new Set(text.match(/number\d+/g) ?? [])]

/** Notes the numbers of its part; merges and answers by repeating those it is shown. */
function reader(options: Parameters<typeof scriptedModel>[0] = {}): ScriptedModel {
  return scriptedModel({
    window: 1_200,
    maxOutput: 200,
    rules: [
      { when: 'Text:', answer: ({ prompt }) => `NOTES: ${numbersIn(prompt.split('Text:\n')[1] ?? '').join(' ')} was read.` },
      { when: 'NOTES:', answer: ({ prompt }) => `NOTES: ${numbersIn(prompt).join(' ')} were read.` },
    ],
    fallback: ({ prompt }) => `In all: ${numbersIn(prompt).join(' ')}`,
    ...options,
  })
}

const options = { chunkTokens: 160 }

describe('scm', () => {
  it('summarises every part, in order, and loses none on the way up', async () => {
    const model = reader()
    const answer = await ask(document, undefined, { strategy: scm({ model }), ...options }).result
    expect(answer.status).toBe('answered')
    expect(numbersIn(answer.text)).toHaveLength(PARTS)
    expect(answer.coverage).toMatchObject({ failed: 0, skipped: 0 })
    expect(answer.tree?.nodes.filter(({ level }) => level === 0)).toHaveLength(answer.coverage.total)
  })

  it('reads each part with the one before it as background, whole where it is short', async () => {
    const model = reader()
    await ask(document, undefined, { strategy: scm({ model }), ...options }).result
    const readings = model.calls.filter(({ prompt }) => prompt.includes('Text:\n'))
    expect(readings[0]?.prompt).not.toContain('What stands before the text')
    for (const [at, { prompt }] of readings.entries()) {
      if (at === 0) continue
      const [before = '', text = ''] = prompt.split('Text:\n')
      expect(before).toContain('What stands before the text, for understanding only:')
      expect(numbersIn(before).length).toBeGreaterThan(0)
      expect(text).not.toContain(numbersIn(before)[0])
    }
  })

  it('reads each part alone without flash memory', async () => {
    const model = reader()
    await ask(document, undefined, { strategy: scm({ model, flash: false }), ...options }).result
    expect(model.calls.some(({ prompt }) => prompt.includes('What stands before'))).toBe(false)
  })

  it('shows a long part by its summary, and never more than the window', async () => {
    const model = reader({ window: 4_000, maxOutput: 300 })
    const long = createDocument({ name: 'log.txt', text: Array.from({ length: 60 }, (_, at) => paragraph(at)).join('\n\n'), sections: [] })
    await ask(long, undefined, { strategy: scm({ model }), chunkTokens: 900 }).result
    const second = model.calls.find(({ prompt }) => prompt.includes('What stands before'))?.prompt ?? ''
    expect(second.split('Text:\n')[0]).toContain('was read.')
    expect(Math.max(...model.calls.map(({ promptTokens, maxTokens = 0 }) => promptTokens + maxTokens))).toBeLessThanOrEqual(4_000)
  })

  it('answers a question', async () => {
    const model = reader()
    const answer = await ask(document, 'Which numbers are there?', { strategy: scm({ model }), ...options }).result
    expect(numbersIn(answer.text)).toHaveLength(PARTS)
    expect(model.calls[0]?.prompt).toContain('Which numbers are there?')
  })

  it('works with a window that is smaller than the groups of the paper, and tells what it will take', async () => {
    const model = reader({ window: 700, maxOutput: 100 })
    const planned = await plan(document, undefined, { strategy: scm({ model }), ...options })
    const answer = await ask(document, undefined, { strategy: scm({ model }), ...options }).result
    expect(answer.status).toBe('answered')
    expect(planned).toMatchObject({ strategy: 'scm', chunks: answer.coverage.total })
  })
})
