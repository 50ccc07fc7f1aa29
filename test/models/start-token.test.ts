import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attend, type Decoder, openDecoder } from '../../attention/index.ts'
import { fileFingerprint } from '../../models/file-fingerprint.ts'
import { type LocalModel, openLocalModel } from '../../models/index.ts'
import { onnxRuntime } from '../attention/open-tiny.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'
import { memorySource } from '../attention/write-gguf.ts'

const head = { layer: 1, head: 2 }
const query = { prefix: 'a(b)c', text: 'de' }
const sum = (values: ArrayLike<number> | undefined): number => Array.from(values ?? [NaN]).reduce((total, value) => total + value, 0)

describe.each([
  ['a vocabulary that puts a start token before a text', true],
  ['a vocabulary that does not', false],
])('%s', (_, adds) => {
  let place: string
  let model: LocalModel
  let decoder: Decoder
  /** What comes before every text. */
  const start = adds ? [0] : []
  const encode = (text: string): number[] => decoder.tokenizer.encode(text)

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'start-'))
    const bytes = writeTinyModel({ metadata: { 'tokenizer.ggml.add_bos_token': adds } })
    await writeFile(join(place, 'tiny.gguf'), bytes)
    const heads = { version: 1, model: await fileFingerprint(memorySource(bytes)), settings: {}, heads: [{ ...head, rank: 1, share: 0.5 }] }
    await writeFile(join(place, 'tiny.heads.json'), JSON.stringify(heads))
    model = await openLocalModel(join(place, 'tiny.gguf'))
    decoder = await openDecoder({ runtime: onnxRuntime, source: memorySource(bytes), threads: 1 })
  })

  afterAll(async () => {
    await model.dispose()
    await decoder.dispose()
    await rm(place, { recursive: true })
  })

  it('has texts scored after it', async () => {
    const [expected] = await decoder.logProbs([...start, ...encode(query.prefix)], [{ ids: encode(query.text) }])
    const [found] = await model.logProbs([query])
    expect(found?.logProb).toBeCloseTo(sum(expected), 3)
    const [other] = await decoder.logProbs([...(adds ? [] : [0]), ...encode(query.prefix)], [{ ids: encode(query.text) }])
    expect(Math.abs(sum(other) - sum(expected))).toBeGreaterThan(0.01)
  })

  it('has caches begin with it, once', async () => {
    await using cache = await model.openCache(query.prefix)
    expect(cache.tokens).toBe(start.length + encode(query.prefix).length)
    const [expected] = await decoder.logProbs([...start, ...encode(query.prefix), ...encode('x')], [{ ids: encode(query.text) }])
    const [found] = await cache.logProbs([{ prefix: 'x', text: query.text }])
    expect(found?.logProb).toBeCloseTo(sum(expected), 3)
    await expect(model.openCache('')).rejects.toThrow(/its text is empty/)
  })

  it('has texts copied after it', async () => {
    const source = 'fg hi'
    const copied = await model.copy(query.prefix, source, { maxTokens: 2 })
    const ids = encode(source.slice(copied!.start, copied!.end))
    const [expected] = await decoder.logProbs([...start, ...encode(query.prefix)], [{ ids }])
    expect(copied!.logProb).toBeCloseTo(sum(expected) / ids.length, 3)
  })

  it('has spans weighed where they lie after it', async () => {
    const spans = Array.from(query.prefix, (_character, at) => ({ start: at, end: at + 1 }))
    const [found] = await model.evidence([{ ...query, spans }])
    const ids = [...start, ...encode(query.prefix), ...encode(query.text).slice(0, 1)]
    const { weights } = await attend(decoder, ids, decoder.createCache(), { heads: [head], rows: 1 })
    expect(found?.weights).toHaveLength(spans.length)
    for (const [at, weight] of (found?.weights ?? []).entries()) expect(weight).toBeCloseTo(weights[0]![start.length + at]!, 4)
  })

  it('decides whether a text may be scored with nothing before it', async () => {
    const scored = model.logProbs([{ prefix: '', text: 'ab' }])
    if (adds) expect((await scored)[0]?.tokens).toHaveLength(encode('ab').length)
    else await expect(scored).rejects.toThrow(/its prefix is empty/)
  })
})
