import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DecoderConfig } from '../../attention/index.ts'
import { ModelFileError } from '../../errors/index.ts'
import { isEvidenceModel, type LocalModel, openLocalModel } from '../../models/index.ts'
import { generateNeedle } from '../../models/generated-needles.ts'
import { bestHeads, readHeadProfile } from '../../models/head-profile-file.ts'
import { profileHeads } from '../../models/head-profile.ts'
import { openTiny } from '../attention/open-tiny.ts'
import { tiny } from '../attention/tiny-model.ts'

describe('generateNeedle()', () => {
  it('makes the same passage from the same seed, and names the sentence that answers', () => {
    const made = generateNeedle(12, 7)
    expect(generateNeedle(12, 7)).toEqual(made)
    expect(generateNeedle(12, 8)).not.toEqual(made)
    expect(new Set(made.sentences).size).toBe(12)
    const asked = (made.question.match(/[A-Z][a-z]+/g) ?? []).slice(1)
    expect(asked.length).toBeGreaterThan(0)
    for (const name of asked) expect(made.sentences[made.needle]).toContain(name)
  })
})

describe('profileHeads()', () => {
  it('measures every head, best first, and the same each time', async () => {
    const { decoder } = await openTiny()
    const profile = await profileHeads(decoder, { samples: 2, sentences: 3 })
    expect(profile.heads).toHaveLength(tiny.layers * tiny.heads)
    expect(profile.heads.map(({ rank }) => rank)).toEqual(profile.heads.map(({ rank }) => rank).toSorted((a, b) => b - a))
    for (const { rank, share } of profile.heads) {
      expect(rank).toBeGreaterThanOrEqual(0)
      expect(rank).toBeLessThanOrEqual(1)
      expect(share).toBeGreaterThan(0)
      expect(share).toBeLessThan(1)
    }
    expect(await profileHeads(decoder, { samples: 2, sentences: 3 })).toEqual(profile)
    await decoder.dispose()
  })
})

describe('readHeadProfile()', () => {
  const config = { layers: 2, heads: 2 } as DecoderConfig
  const profile = {
    version: 1,
    model: 'abc',
    settings: {},
    heads: [
      { layer: 1, head: 0, rank: 0.99, share: 0.2 },
      { layer: 0, head: 0, rank: 0.5, share: 0.1 },
    ],
  }
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heads-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('reads the heads that retrieve', async () => {
    const path = join(folder, 'good.json')
    await writeFile(path, JSON.stringify(profile))
    expect(bestHeads(await readHeadProfile(path, 'abc', config))).toEqual([{ layer: 1, head: 0 }])
  })

  it.each([
    ['another model', JSON.stringify({ ...profile, model: 'other' })],
    ['another version', JSON.stringify({ ...profile, version: 2 })],
    ['heads that the model has not', JSON.stringify({ ...profile, heads: [{ layer: 2, head: 0, rank: 1, share: 1 }] })],
    ['no JSON', '{'],
    ['null', 'null'],
  ])('refuses a profile of %s', async (_, text) => {
    const path = join(folder, 'bad.json')
    await writeFile(path, text)
    await expect(readHeadProfile(path, 'abc', config)).rejects.toThrow(ModelFileError)
  })

  it('refuses a file that is not there', async () => {
    await expect(readHeadProfile(join(folder, 'none.json'), 'abc', config)).rejects.toThrow(ModelFileError)
  })
})

describe('the evidence of the bundled model', { timeout: 120_000 }, () => {
  let model: LocalModel
  beforeAll(async () => {
    model = await openLocalModel()
  })
  afterAll(() => model.dispose())

  const sentences = ['The café in Ulm opened in 1912.', 'Anna Brandt painted the harbour of Rostock.', 'The mill was repaired twice.']
  const prefix = `Passage: ${sentences.join(' ')}\nQuestion:`
  const text = ' Who painted the harbour?'
  const spans = sentences.map((sentence) => ({ start: prefix.indexOf(sentence), end: prefix.indexOf(sentence) + sentence.length }))

  it('looks at the sentence that answers, and scores the question as logProbs does', async () => {
    expect(isEvidenceModel(model)).toBe(true)
    const [found] = await model.evidence([{ prefix, text, spans }])
    const [expected] = await model.logProbs([{ prefix, text }])
    expect(found?.weights).toHaveLength(3)
    expect(found?.weights.indexOf(Math.max(...(found.weights ?? [])))).toBe(1)
    expect(found?.logProb).toBeCloseTo(expected?.logProb ?? NaN, 2)
  })

  it('weighs each query by itself, whatever stands beside it', async () => {
    const query = { prefix, text, spans }
    const other = { prefix: 'Passage: The mill.\nQuestion:', text: ' What?', spans: [{ start: 9, end: 18 }] }
    const [alone] = await model.evidence([query])
    const [first, second, third] = await model.evidence([query, other, query])
    expect(second?.weights).toHaveLength(1)
    for (const [at, weight] of (alone?.weights ?? []).entries()) {
      expect(first?.weights[at]).toBeCloseTo(weight, 2)
      expect(third?.weights[at]).toBeCloseTo(weight, 2)
    }
  })

  it('refuses a span outside of the prefix, and answers nothing to nothing', async () => {
    await expect(model.evidence([{ prefix, text, spans: [{ start: 0, end: prefix.length + 1 }] }])).rejects.toThrow(RangeError)
    expect(await model.evidence([])).toEqual([])
  })
})
