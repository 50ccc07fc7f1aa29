import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ContextOverflowError, ModelFileError } from '../../errors/index.ts'
import {
  type CacheHandle,
  type CacheQuery,
  type KeptTokens,
  type Likelihood,
  type LocalModel,
  openEngine,
  openLocalModel,
} from '../../models/index.ts'

const passage = 'Passage: The whale lives in the sea, and the lighthouse keeper counts every ship.'
const queries: CacheQuery[] = [
  { prefix: '\nQuestion:', text: ' Where does the whale live?' },
  { prefix: '\nQuestion:', text: ' Who counts the ships?' },
  { text: ' He writes them down.' },
  { prefix: '\nAnswer:', text: ' purple' },
  { prefix: '\nAnswer:', text: '' },
]

function expectSame(found: readonly Likelihood[], expected: readonly Likelihood[]): void {
  expect(found).toHaveLength(expected.length)
  for (const [index, { tokens }] of expected.entries()) {
    expect(found[index]?.tokens).toHaveLength(tokens.length)
    for (const [place, logProb] of tokens.entries()) expect(Math.abs((found[index]?.tokens[place] ?? NaN) - logProb)).toBeLessThan(1e-4)
  }
}

describe('a cache of a local model', { timeout: 120_000 }, () => {
  let model: LocalModel
  let cache: CacheHandle
  let expected: Likelihood[]
  let folder: string
  let saved: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-cache-'))
    saved = join(folder, 'passage.cache')
    model = await openLocalModel()
    cache = await model.openCache(passage)
    await cache.save(saved)
    expected = await model.logProbs(queries.map(({ prefix = '', text }) => ({ prefix: passage + prefix, text })))
  }, 120_000)

  afterAll(async () => {
    await model.dispose()
    await rm(folder, { recursive: true })
  })

  it('knows its size', () => {
    expect(cache.tokens).toBe(model.count(passage))
    expect(cache.bytes).toBeGreaterThanOrEqual(cache.tokens * 30 * 2 * 3 * 64 * 4)
  })

  it('scores what follows as the whole text does, again and again', async () => {
    expectSame(await cache.logProbs(queries), expected)
    expectSame(await cache.logProbs(queries), expected)
    expect(await cache.logProbs([])).toEqual([])
  })

  it('has forks that live on their own', async () => {
    const first = await cache.fork()
    const second = await first.fork()
    expect(second).toMatchObject({ tokens: cache.tokens, bytes: cache.bytes })
    await first.dispose()
    await expect(first.logProbs(queries)).rejects.toThrow(TypeError)
    expectSame(await second.logProbs(queries), expected)
    await second.dispose()
    expectSame(await cache.logProbs(queries), expected)
  })

  it('gives the same scores after it was saved and loaded, and leaves one file', async () => {
    expect(await readdir(folder)).toEqual(['passage.cache'])
    const shares: number[] = []
    await using loaded = await model.loadCache(saved, { onProgress: (share) => shares.push(share) })
    expect(loaded.tokens).toBe(cache.tokens)
    expect(shares.at(-1)).toBe(1)
    expectSame(await loaded.logProbs(queries), expected)
    const again = join(folder, 'again.cache')
    await loaded.save(again)
    expect((await readFile(again)).equals(await readFile(saved))).toBe(true)
    await rm(again)
  })

  it.each([
    ['int8', 3.5, 0.1],
    ['int4', 6.2, 1.5],
  ] as const)('is saved in %s at a fraction of the bytes, and scores nearly alike', async (form, times, most) => {
    const path = join(folder, 'few-bits.cache')
    await cache.save(path, { form })
    const whole = cache.tokens * 30 * 2 * 3 * 64 * 4
    expect((await readFile(path)).length).toBeLessThan(whole / times + 30 * 4 * 64 + 30 * 8 * 192 + 8192)
    await using loaded = await model.loadCache(path)
    const found = await loaded.logProbs(queries)
    for (const [index, { tokens }] of expected.entries()) {
      for (const [place, logProb] of tokens.entries()) expect(Math.abs((found[index]?.tokens[place] ?? NaN) - logProb)).toBeLessThan(most)
    }
    await rm(path)
  })

  it('lets a reply stand after it, which reads the messages alone and is that of the whole text', async () => {
    const messages = [{ role: 'user' as const, content: 'Where does the whale live?' }]
    const alone = await model.invoke(messages, { maxTokens: 6 })
    const after = await model.invoke(messages, { maxTokens: 6, after: cache })
    expect(after.usage_metadata).toMatchObject({
      input_tokens: cache.tokens + (alone.usage_metadata?.input_tokens ?? 0),
      input_token_details: { cache_read: cache.tokens },
    })
    await using fork = await cache.fork()
    expect(fork.key).toBe(cache.key)
    expect((await model.invoke(messages, { maxTokens: 6, after: fork })).content).toBe(after.content)
    expectSame(await cache.logProbs(queries), expected)
  })

  it('lets no reply stand after a cache of another model, one that is disposed of, or what is no cache', async () => {
    const messages = [{ role: 'user' as const, content: 'Where?' }]
    await using other = await openLocalModel({ prefixCacheBytes: 0 })
    await expect(other.invoke(messages, { after: cache })).rejects.toThrow(/Cannot use a cache of .* with another model/)
    const gone = await cache.fork()
    await gone.dispose()
    await expect(model.invoke(messages, { after: gone })).rejects.toThrow(/is disposed/)
    await expect(model.invoke(messages, { after: { tokens: 3 } as CacheHandle })).rejects.toThrow(/no handle of a local model/)
  })

  it('is cut down to what its last tokens looked at, and says so in its file', async () => {
    const text = `${'The grass is green. The sky is blue. '.repeat(12)}The pass key is 71423. ${'Here we go again. '.repeat(12)}What is the pass key?`
    await using cut = await model.openCache(text, { keep: { policy: 'snapkv', tokens: 96 } })
    expect(cut.tokens).toBe(96)
    const key = async (held: CacheHandle): Promise<number> => {
      const [right, wrong] = await held.logProbs([{ text: ' 71423' }, { text: ' 58206' }])
      return (right?.logProb ?? 0) - (wrong?.logProb ?? 0)
    }
    expect(await key(cut)).toBeGreaterThan(2)
    const path = join(folder, 'cut.cache')
    await cut.save(path)
    expect(await readFile(path, 'latin1')).toContain('"policy":"snapkv 96, window 32, kernel 7"')
    await using loaded = await model.loadCache(path)
    expect(await key(loaded)).toBeCloseTo(await key(cut), 3)
    await rm(path)
  })

  it('slides along a text, and forgets its middle', async () => {
    const text = `${passage} `.repeat(60)
    await using cut = await model.openCache(text, { keep: { policy: 'sinks-and-recent', tokens: 64 } })
    expect(model.count(text)).toBeGreaterThan(1000)
    expect(cut.tokens).toBe(64)
    const [likely, unlikely] = await cut.logProbs([{ text: 'Passage: The whale' }, { text: 'Purple are the seven' }])
    expect(likely?.logProb).toBeGreaterThan((unlikely?.logProb ?? 0) + 5)
  })

  it.each([
    [{ policy: 'snapkv', tokens: 0 }, RangeError, /Cannot cut a cache to 0 tokens/],
    [{ policy: 'snapkv', tokens: 20 }, RangeError, /the budget is only 20/],
    [{ policy: 'sinks-and-recent', tokens: 4 }, RangeError, /the budget is only 4/],
    [{ policy: 'best', tokens: 9 }, TypeError, /unknown policy: "best". There are snapkv and sinks-and-recent/],
    [{ policy: 'sinks-and-recent', tokens: 8000 }, ContextOverflowError, /Cannot slide a cache along a text/],
  ] as const)('refuses to be cut by %j', async (keep, kind, message) => {
    const opening = model.openCache(passage.repeat(4), { keep: keep as KeptTokens })
    await expect(opening).rejects.toThrow(kind)
    await expect(opening).rejects.toThrow(message)
  })

  it('tells how far it is read', async () => {
    const shares: number[] = []
    await using opened = await model.openCache('The grass is green.', { onProgress: (share) => shares.push(share) })
    expect(opened.tokens).toBeGreaterThan(3)
    expect(shares.length).toBeGreaterThan(1)
    expect(shares.at(-1)).toBe(1)
  })

  it('is not saved where there is no folder', async () => {
    const path = join(folder, 'none', 'x.cache')
    const saving = cache.save(path)
    await expect(saving).rejects.toThrow(ModelFileError)
    await expect(saving).rejects.toThrow(/Cannot save a cache .*\(ENOENT\): .*x\.cache/)
  })

  it.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ['is something else', () => Buffer.alloc(100, 'text'), /begins with "texttext", not "SCRCACHE"/],
    ['is empty', () => new Uint8Array(0), /cut short: 0 bytes, not 48 or more/],
    ['has another version', (bytes) => changed(bytes, 8, 7), /another version: 7, not 2/],
    ['is of another model', (bytes) => renamed(bytes, '"model":"', '#'), /another model: "#.*", not "[^#].*"/],
    ['is of another weight form', (bytes) => renamed(bytes, '"weightForm":"', 'x'), /another weight form: "x.*", not "[^x].*"/],
    ['is of another shape', (bytes) => renamed(bytes, '"layers":', '4'), /another number of layers: 40, not 30/],
    ['is of another rotary embedding', (bytes) => renamed(bytes, '"rope":"', 'x'), /another rotary embedding: "x.*", not "[^x].*"/],
    ['is of another policy', (bytes) => renamed(bytes, '"policy":"', 'x'), /another policy of what is kept: "xull", not "full"/],
    ['is of no known form', (bytes) => renamed(bytes, '"form":"', 'x'), /form is not known: "xloat32"/],
    ['has a header that is no JSON', (bytes) => changed(bytes, 16, 0x21), /header is not a JSON object: "!/],
    ['is cut short', (bytes) => bytes.subarray(0, -1000), /cut short: \d+ bytes, not \d+/],
    ['is too long', (bytes) => Buffer.concat([bytes, Buffer.alloc(4)]), /too long: \d+ bytes, not \d+/],
    [
      'is damaged inside',
      (bytes) => changed(bytes, bytes.length - 5000, (bytes.at(-5000) ?? 0) ^ 1),
      /SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
    ],
    [
      'is damaged at its end',
      (bytes) => changed(bytes, bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1),
      /SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
    ],
  ])('is not loaded from a file that %s', async (_, damage, message) => {
    const path = join(folder, 'bad.cache')
    await writeFile(path, damage(await readFile(saved)))
    const loading = model.loadCache(path)
    await expect(loading).rejects.toThrow(ModelFileError)
    await expect(loading).rejects.toThrow(message)
    await expect(loading).rejects.toMatchObject({ file: path })
    await rm(path)
  })

  it('is not loaded from a file that is missing', async () => {
    await expect(model.loadCache(join(folder, 'none.cache'))).rejects.toThrow(/Cannot open a cache as its file does not exist/)
  })

  it('refuses what does not fit the window, and an empty text', async () => {
    const long = 'word '.repeat(9000)
    await expect(model.openCache(long)).rejects.toThrow(ContextOverflowError)
    await expect(cache.logProbs([{ prefix: long, text: 'a' }])).rejects.toMatchObject({
      name: 'ContextOverflowError',
      parts: { cache: cache.tokens, text: 1 },
    })
    await expect(model.openCache('')).rejects.toThrow(RangeError)
  })

  it('rejects with the reason of a signal, before and during a call', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(model.openCache(passage, { signal })).rejects.toBe(reason)
    await expect(model.loadCache(saved, { signal })).rejects.toBe(reason)
    await expect(cache.logProbs(queries, { signal })).rejects.toBe(reason)
    const controller = new AbortController()
    const opening = model.openCache(passage, { signal: controller.signal, onProgress: () => controller.abort(reason) })
    await expect(opening).rejects.toBe(reason)
    expectSame(await cache.logProbs(queries), expected)
  })

  it('is used no more once it is disposed of, and may be disposed of twice', async () => {
    const fork = await cache.fork()
    const underWay = fork.logProbs(queries)
    await Promise.all([fork.dispose(), fork.dispose()])
    await fork[Symbol.asyncDispose]()
    expectSame(await underWay, expected)
    const named = /Cannot use a cache as it is disposed: cache \d+ \(\d+ tokens\) of .*\. Open it again/
    for (const use of [fork.logProbs(queries), fork.fork(), fork.save(saved)]) {
      await expect(use).rejects.toThrow(TypeError)
      await expect(use).rejects.toThrow(named)
    }
  })
})

describe('the caches of a local model that ends', { timeout: 120_000 }, () => {
  it('end with it, and no other model’s', async () => {
    await using engine = openEngine()
    const [first, second] = [await openLocalModel({ engine }), await openLocalModel({ engine })]
    const [ends, stays] = [await first.openCache('The sky is'), await second.openCache('The sky is')]
    const expected = await ends.logProbs([{ text: ' blue' }])
    const lateFork = expect(ends.fork()).rejects.toThrow(/model was disposed meanwhile/)
    await first.dispose()
    await lateFork
    await expect(ends.logProbs([{ text: ' blue' }])).rejects.toThrow(/is disposed: cache/)
    await ends.dispose()
    await expect(first.openCache('The sky is')).rejects.toThrow(/is disposed/)
    expectSame(await stays.logProbs([{ text: ' blue' }]), expected)
    await second.dispose()
  })

  it('are gone with an engine that is disposed', async () => {
    const engine = openEngine()
    await using model = await openLocalModel({ engine })
    const cache = await model.openCache('The sky is')
    await engine.dispose()
    await expect(cache.logProbs([{ text: ' blue' }])).rejects.toThrow(/engine was disposed/)
    await cache.dispose()
  })
})

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

/** Changes the character of the header that follows `field`. */
function renamed(bytes: Buffer, field: string, character: string): Buffer {
  return changed(bytes, bytes.indexOf(field) + field.length, character.charCodeAt(0))
}
