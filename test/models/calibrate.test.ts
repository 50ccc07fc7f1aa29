import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decoder } from '../../attention/index.ts'
import { headLogits, highestLogits } from '../../attention/significance.ts'
import { ModelFileError } from '../../errors/index.ts'
import { calibrateModel } from '../../models/calibrate-model.ts'
import { biasOf, measureBias } from '../../models/distance-bias.ts'
import { readDistanceBias, type StoredDistanceTable } from '../../models/distance-bias-file.ts'
import { farthest, openTiny } from '../attention/open-tiny.ts'
import { tiny, writeTinyModel } from '../attention/tiny-model.ts'

const folder = await mkdtemp(join(tmpdir(), 'calibrate-'))
afterAll(() => rm(folder, { recursive: true }))

const text = 'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '.repeat(12)

let decoder: Decoder
beforeAll(async () => {
  decoder = (await openTiny()).decoder
})
afterAll(() => decoder.dispose())

describe('measureBias()', () => {
  it('is the mean of the highest logits at each distance', async () => {
    const { distances, logits, settings } = await measureBias(decoder, [text], { tokens: 8, segments: 1, rows: 2 })
    expect(settings).toEqual({ segments: 1, tokens: 8, rows: 2 })
    expect(distances).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    using cache = decoder.createCache()
    const rows: number[][] = []
    const ids = decoder.tokenizer.encode(text).slice(0, 8)
    await decoder.prefill(ids, cache, {
      observe: {
        layers: [1],
        rows: 2,
        onQueries: ({ queries, rows: count, cache: seen }) => {
          for (let row = 0; row < count; row++)
            rows.push([...highestLogits(decoder.config, { queries, keys: seen.exportRows(1).keys }, row)])
        },
      },
    })
    const expected = distances.map((distance) => {
      const samples = rows.flatMap((row, index) => row[6 + index - distance] ?? [])
      return samples.reduce((sum, sample) => sum + sample, 0) / samples.length
    })
    expect(farthest(logits[1] ?? [], expected)).toBeLessThan(1e-3)
  })

  it('makes the calibrated score flat where logits depend on the distance only', () => {
    const distances = [0, 1, 2, 4, 8]
    const bias = biasOf({ distances, logits: [distances.map((distance) => -0.5 * distance)] })
    for (const distance of [0, 1, 3, 5, 8]) expect(-0.5 * distance - bias(0, distance)).toBeCloseTo(0)
    expect(bias(0, 100)).toBe(bias(0, 8))
    expect(bias(7, 3)).toBe(0)
  })

  it('takes the highest of all heads', () => {
    const seen = { queries: Float32Array.of(1, -1), keys: Float32Array.of(2, -3) }
    const config = { ...decoder.config, heads: 2, kvHeads: 1, headDim: 1 }
    expect([0, 1].map((head) => Array.from(headLogits(config, seen, 0, head)))).toEqual([
      [2, -3],
      [-2, 3],
    ])
    expect([...highestLogits(config, seen, 0)]).toEqual([2, 3])
  })

  it.each([
    [{ tokens: 5_000 }, /no text has 5000 tokens/],
    [{ rows: 0 }, /rows is not a whole number above 0: 0/],
    [{ segments: 1.5 }, /segments is not a whole number above 0: 1\.5/],
  ])('refuses %j', async (options, message) => {
    await expect(measureBias(decoder, [text], options)).rejects.toThrow(message)
  })
})

describe('calibrateModel()', () => {
  const model = join(folder, 'tiny.gguf')
  const config = (): Decoder['config'] => decoder.config
  let table: StoredDistanceTable

  beforeAll(async () => {
    await writeFile(model, writeTinyModel())
    await writeFile(join(folder, 'some.txt'), text)
    const written = await calibrateModel(model, { texts: [join(folder, 'some.txt')], tokens: 16, segments: 2, rows: 4 })
    expect(written).toBe(join(folder, 'tiny.bias.json'))
    table = JSON.parse(await readFile(written, 'utf8')) as StoredDistanceTable
  })

  it('writes the table beside the model with its hash, settings and texts', () => {
    expect(table).toMatchObject({
      version: 1,
      settings: { segments: 2, tokens: 16, rows: 4 },
      model: expect.stringMatching(/^[0-9a-f]{16}$/),
      ropeForm: config().ropeForm,
      texts: [{ name: 'some.txt', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    })
    expect(table.logits).toHaveLength(tiny.layers)
  })

  it('is read for its own model', async () => {
    const bias = await readDistanceBias(join(folder, 'tiny.bias.json'), table.model, config())
    expect(bias(1, 3)).toBeCloseTo(table.logits[1]?.[3] ?? NaN)
  })

  it.each<[string, Partial<StoredDistanceTable> | string, RegExp]>([
    ['of another model', { model: '0123456789abcdef' }, /is of the model 0123456789abcdef and not of/],
    ['of another rotation', { ropeForm: 'other' }, /rotated by other and not by/],
    ['with a layer less', { logits: [] }, /damaged or of another version/],
    ['with distances out of order', { distances: [0, 2, 1] }, /damaged or of another version/],
    ['of a later version', { version: 2 as 1 }, /damaged or of another version/],
    ['that is no JSON', 'no', /damaged or of another version/],
  ])('refuses a table %s', async (_, change, message) => {
    const path = join(folder, 'changed.json')
    await writeFile(path, typeof change === 'string' ? change : JSON.stringify({ ...table, ...change }))
    const reading = readDistanceBias(path, table.model, config())
    await expect(reading).rejects.toThrow(ModelFileError)
    await expect(reading).rejects.toThrow(message)
  })

  it('refuses a table that is not there', async () => {
    await expect(readDistanceBias(join(folder, 'none.json'), 'x', config())).rejects.toThrow(/cannot be read/)
  })
})
