import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChatMessage, type LocalModel, openLocalModel } from '../../models/index.ts'

const passage = `${'The keeper of the lighthouse counts every ship that passes, and writes its name into a grey book. '.repeat(14)}
His daughter Ishbel paints the lamp room green.`

function ask(question: string): ChatMessage[] {
  return [{ role: 'user', content: `${passage}\n\n${question}` }]
}

const first = ask('Who counts the ships?')
const second = ask('What is the name of the daughter?')

describe('a local model that is asked again about the same passage', { timeout: 120_000 }, () => {
  let model: LocalModel
  let without: LocalModel

  beforeAll(async () => {
    model = await openLocalModel()
    without = await openLocalModel({ prefixCacheBytes: 0 })
  }, 120_000)

  afterAll(async () => {
    await model.dispose()
    await without.dispose()
  })

  it('says how many tokens it did not read again, and answers as it would have', async () => {
    const options = { maxTokens: 12 }
    const fresh = await model.invoke(first, options)
    expect(fresh.usage_metadata?.input_token_details).toBeUndefined()
    const again = await model.invoke(second, options)
    expect(again.usage_metadata?.input_token_details?.cache_read).toBeGreaterThan(model.count(passage) - 5)
    expect([fresh.content, again.content]).toEqual([
      (await without.invoke(first, options)).content,
      (await without.invoke(second, options)).content,
    ])
    const repeated = await model.invoke(first, options)
    expect(repeated.content).toBe(fresh.content)
    expect(repeated.usage_metadata?.input_token_details?.cache_read).toBe(repeated.usage_metadata?.input_tokens)
    expect((await without.invoke(first, options)).usage_metadata?.input_token_details).toBeUndefined()
  })

  it('shares what calls of all kinds begin with', async () => {
    const query = { prefix: passage, text: ' The keeper sleeps.' }
    const [expected] = await without.logProbs([query])
    const before = await model.prefixStats()
    const [scored] = await model.logProbs([query])
    await using cache = await model.openCache(passage)
    const [after] = await cache.logProbs([{ text: query.text }])
    const copied = await model.copy(`${passage}\nThe daughter is called`, passage, { maxTokens: 3 })
    const now = await model.prefixStats()
    for (const [index, value] of (expected?.tokens ?? []).entries()) {
      expect(Math.abs((scored?.tokens[index] ?? NaN) - value)).toBeLessThan(2e-3)
      expect(Math.abs((after?.tokens[index] ?? NaN) - value)).toBeLessThan(2e-3)
    }
    const alone = await without.copy(`${passage}\nThe daughter is called`, passage, { maxTokens: 3 })
    expect([copied?.start, copied?.end]).toEqual([alone?.start, alone?.end])
    expect(Math.abs((copied?.logProb ?? NaN) - (alone?.logProb ?? NaN))).toBeLessThan(0.02)
    expect((now?.hits ?? 0) - (before?.hits ?? 0)).toBeGreaterThanOrEqual(2)
    expect((now?.reusedTokens ?? 0) - (before?.reusedTokens ?? 0)).toBeGreaterThan(1.9 * model.count(passage))
    expect(now?.bytes).toBeLessThanOrEqual(256 * 2 ** 20)
  })

  it('does not read again what a cache was loaded of, unless its numbers were rounded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'prefix-reuse-'))
    const text = `Once more. ${passage}`
    const query = { prefix: `${text}\n`, text: ' The keeper sleeps.' }
    try {
      await using read = await without.openCache(text)
      await read.save(join(folder, 'rounded'), { form: 'int8' })
      await read.save(join(folder, 'exact'))
      const [expected] = await without.logProbs([query])
      for (const [file, fewest, most] of [
        ['rounded', 0, 20],
        ['exact', read.tokens - 1, Infinity],
      ] as const) {
        await using fresh = await openLocalModel({ prefixCacheBytes: 2 ** 26 })
        await using cache = await fresh.loadCache(join(folder, file))
        expect(cache.tokens).toBe(read.tokens)
        const [found] = await fresh.logProbs([query])
        const reused = (await fresh.prefixStats())?.reusedTokens
        expect(reused).toBeGreaterThanOrEqual(fewest)
        expect(reused).toBeLessThanOrEqual(most)
        for (const [index, value] of (expected?.tokens ?? []).entries()) {
          // Both ran in eight-bit integers, in rows that were grouped otherwise.
          expect(Math.abs((found?.tokens[index] ?? NaN) - value)).toBeLessThan(0.1)
        }
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('answers as ever after a call that was cancelled', async () => {
    const asked = ask('Which colour has the lamp room?')
    const reason = new Error('enough')
    const controller = new AbortController()
    const reply = await model.stream(asked, { signal: controller.signal, maxTokens: 12 })
    const reading = (async () => {
      for await (const part of reply) if (part.content !== '') controller.abort(reason)
    })()
    await expect(reading).rejects.toBe(reason)
    const options = { maxTokens: 12 }
    expect((await model.invoke(asked, options)).content).toBe((await without.invoke(asked, options)).content)
  })

  it('has no statistics before it is loaded, and refuses a budget that is none', async () => {
    await using idle = await openLocalModel({ prefixCacheBytes: 1 })
    expect(await idle.prefixStats()).toBeUndefined()
    await expect(openLocalModel({ prefixCacheBytes: -1 })).rejects.toThrow(RangeError)
  })
})
