import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ErasureTarget } from '../../memory/index.ts'
import { openLocalModel, readCacheHeader } from '../../models/index.ts'
import { cacheHolder, erasure } from '../../workflows/index.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'

let folder: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caches-'))
  writeFileSync(join(folder, 'tiny.gguf'), writeTinyModel())
  await using model = await openLocalModel({ path: join(folder, 'tiny.gguf') })
  await using cache = await model.openCache('thewhaletookhisleg')
  await cache.save(join(folder, 'leg.cache'), { scope: 'ada', documentIds: ['whale', 'leg'] })
  await cache.save(join(folder, 'ship.cache'), { scope: 'ada', documentIds: ['ship'] })
  await cache.save(join(folder, 'bob.cache'), { scope: 'bob', documentIds: ['whale'] })
  await cache.save(join(folder, 'unknown.cache'))
  writeFileSync(join(folder, 'damaged.cache'), 'nothing')
  writeFileSync(join(folder, 'whale.txt'), 'no cache')
})

afterEach(() => rmSync(folder, { recursive: true }))

const all = ['bob.cache', 'damaged.cache', 'leg.cache', 'ship.cache', 'unknown.cache']
const caches = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.cache'))

describe('a folder of caches as a holder', { timeout: 60_000 }, () => {
  it('keeps in a file what it was computed of', async () => {
    expect(await readCacheHeader(join(folder, 'leg.cache'))).toMatchObject({ scope: 'ada', documentIds: ['whale', 'leg'] })
    await using model = await openLocalModel({ path: join(folder, 'tiny.gguf') })
    await using cache = await model.loadCache(join(folder, 'leg.cache'))
    expect(cache.tokens).toBe(model.count('thewhaletookhisleg'))
  })

  it.each<[string, ErasureTarget, string[]]>([
    ['of a document', { scope: 'ada', documentIds: ['whale'] }, ['leg.cache']],
    ['of a scope', { scope: 'ada' }, ['leg.cache', 'ship.cache']],
    ['of no document', { scope: 'ada', documentIds: ['other'] }, []],
    ['of a record', { scope: 'ada', ids: ['whale'] }, []],
  ])('loses the caches %s', async (_, target, gone) => {
    const { preview, confirm } = erasure([cacheHolder(folder)])
    const { findings, token } = await preview(target)
    expect(findings.map(({ holder, counts }) => [holder, counts])).toEqual([['caches', { files: gone.length }]])
    expect(caches()).toEqual(all)
    expect((await confirm(token)).verified).toBe(true)
    expect(caches()).toEqual(all.filter((name) => !gone.includes(name)))
    expect(readdirSync(folder)).toContain('whale.txt')
  })

  it('loses a cache that says nothing of its document by name', async () => {
    const holder = cacheHolder(folder, { names: ['unknown.cache'] })
    expect((await holder.erase({ scope: 'ada', documentIds: ['ship'] })).counts).toEqual({ files: 2 })
    expect(caches()).toEqual(['bob.cache', 'damaged.cache', 'leg.cache'])
  })

  it('may be missing', async () => {
    expect((await cacheHolder(join(folder, 'nowhere')).findErasable({ scope: 'ada' })).counts).toEqual({ files: 0 })
  })
})
