import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { measureMem1 } from '../../bench/mem1.ts'
import { dependencyLength, peakTokens, scoreAnswers } from '../../bench/mem1-score.ts'

const count = (text: string): number => text.split(/\s+/).filter(Boolean).length

describe('scoreAnswers()', () => {
  it.each<[string, string[], string[][], number, number, boolean]>([
    ['exact answers, whatever their case and marks', ['AHAB!', 'the Pequod'], [['Ahab'], ['The Pequod']], 2, 2, true],
    ['any of several gold answers', ['Captain Ahab'], [['Ahab', 'Captain Ahab']], 1, 1, true],
    ['shared words, as sets', ['white white whale'], [['the white whale']], 0, 0.8, false],
    ['nothing for a wrong number of answers', ['Ahab'], [['Ahab'], ['Pequod']], 0, 0, false],
    ['a match by containment', ['old Ahab'], [['Ahab']], 0, 2 / 3, true],
    ['no match for an empty answer', [''], [['Ahab']], 0, 0, false],
  ])('gives %s', (_, answers, golds, em, f1, matched) => {
    const score = scoreAnswers(answers, golds)
    expect([score.em, score.matched]).toEqual([em, matched])
    expect(score.f1).toBeCloseTo(f1)
  })
})

describe('token counts', () => {
  const segments = [
    { prefix: '', reply: 'one two three' },
    { prefix: 'one two three four five', reply: 'six seven' },
  ]

  it('are the most tokens of a turn for the peak', () => {
    expect(peakTokens(segments, count)).toBe(7)
    expect(peakTokens([], count)).toBe(0)
  })

  it('are what was before plus half of its own, times its own, for the dependency', () => {
    expect(dependencyLength(segments, count)).toBe((0 + 1) * 3 + (5 + 1) * 2)
  })
})

const data = join(import.meta.dirname, '../../../shared/data')

describe.skipIf(!existsSync(join(data, 'hotpotqa-100.jsonl.gz')))('measureMem1()', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mem1-'))
  afterAll(() => rm(folder, { recursive: true }))

  it('has a flat peak under its cap where full histories grow, and loses nothing by it', async () => {
    const options = { quick: true, data, seed: 42, signal: new AbortController().signal, log() {} }
    const { figures, items, plots } = await measureMem1(options, { sizes: [2, 8], groups: 1 }, folder)
    const { overCap, peak8 = 0, fullPeak8 = 0, em8, fullEm8, truncateEm8 = 8, archiveFaultyEm8 } = figures
    expect([overCap, em8, archiveFaultyEm8]).toEqual([0, fullEm8, fullEm8])
    expect(truncateEm8).toBeLessThan(em8 ?? 0)
    expect(fullPeak8).toBeGreaterThan(5 * peak8)
    expect([items?.length, Object.keys(plots ?? {})]).toEqual([16, ['peak', 'em']])
  }, 60_000)
})
