import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createMemoryStore,
  expandByCoRecall,
  FACTS_DOCUMENT,
  forget,
  type ForgetOptions,
  type MemoryStore,
  type NewTurn,
  openMemory,
} from '../../memory/index.ts'

const scope = 'ann'
const DAY = 24 * 60 * 60 * 1000
const now = 1000 * DAY

let memory: MemoryStore
let folder: string

const stores: [string, () => MemoryStore | Promise<MemoryStore>][] = [
  ['in process', () => createMemoryStore()],
  ['in SQLite', () => openMemory(join(folder, 'memory.sqlite'))],
]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'forget-'))
})

afterEach(async () => {
  await memory.close()
  rmSync(folder, { recursive: true })
})

const turn = (id: string, parts: Partial<NewTurn> = {}): NewTurn => ({ id, text: `turn ${id}`, role: 'user', createdAt: now, ...parts })
const fact = (id: string, parts: Partial<NewTurn> = {}): NewTurn => ({ id, text: `fact ${id}`, kind: 'fact', createdAt: now, ...parts })
const keep = (...facts: NewTurn[]): Promise<unknown> => memory.append(scope, FACTS_DOCUMENT, facts)
const bring = (capacity: number, options: Partial<ForgetOptions> = {}): ReturnType<typeof forget> =>
  forget(memory, { scope, capacity, now, ...options })
const ids = async (documentId: string): Promise<string[]> => (await memory.list(scope, documentId)).map(({ id }) => id)

describe.each(stores)('%s', (_name, open) => {
  beforeEach(async () => {
    memory = await open()
  })

  describe('forget', () => {
    it('lets nothing go that fits, but what has expired', async () => {
      await keep(fact('a'), fact('b', { expiresAt: now - 1 }), fact('c', { expiresAt: now + 1 }))
      expect(await bring(3)).toEqual({ expired: ['b'], merged: [], forgotten: [], left: 2 })
      expect(await ids(FACTS_DOCUMENT)).toEqual(['a', 'c'])
    })

    it('makes one of facts that say the same before any other goes, with the sources of all', async () => {
      await memory.append(scope, 'chat', [turn('t1'), turn('t2'), turn('t3')])
      await keep(
        fact('old', { text: 'The user likes tea.', sources: ['t1'], createdAt: now - DAY }),
        fact('unlike', { text: 'The user hates rain.', sources: ['t3'], createdAt: now - 900 * DAY }),
        fact('new', { text: 'the user likes tea', sources: ['t2'] }),
      )
      expect(await bring(2)).toEqual({ expired: [], merged: [{ id: 'old', into: 'new' }], forgotten: [], left: 2 })
      expect((await memory.get(scope, 'new'))?.sources).toEqual(['t2', 't1'])
      await memory.delete(scope, ['t2'])
      expect(await ids(FACTS_DOCUMENT)).toEqual(['unlike', 'new'])
    })

    it('keeps a pinned fact of two that say the same, and its lack of sources', async () => {
      await memory.append(scope, 'chat', [turn('t1')])
      await keep(fact('pinned', { text: 'Likes tea', pinned: true, createdAt: 0 }), fact('said', { text: 'likes tea', sources: ['t1'] }))
      expect((await bring(1)).merged).toEqual([{ id: 'said', into: 'pinned' }])
      expect((await memory.get(scope, 'pinned'))?.sources).toBeUndefined()
    })

    it('goes by meaning where there are vectors', async () => {
      const near = Float32Array.of(Math.cos(0.1), Math.sin(0.1))
      await keep(
        fact('a', { vector: Float32Array.of(1, 0), text: 'likes hiking' }),
        fact('b', { vector: near, text: 'enjoys walks in the hills', createdAt: now - 1 }),
      )
      expect(await bring(1, { merge: false, dryRun: true })).toMatchObject({ merged: [], forgotten: ['b'] })
      expect(await bring(1)).toMatchObject({ merged: [{ id: 'b', into: 'a' }], forgotten: [] })
    })

    it.each<[string, Partial<NewTurn>, Partial<NewTurn>]>([
      ['what is less important', { importance: 0.2 }, { importance: 0.8 }],
      ['what is older', { createdAt: now - 60 * DAY }, { createdAt: now - DAY }],
      ['what is superseded, however important', { importance: 1, supersededBy: 'x' }, { importance: 0.1 }],
      ['what has ceased to be so', { importance: 1, validTo: now - 1 }, { importance: 0.1 }],
      ['what is not pinned', { importance: 1 }, { importance: 0, pinned: true, createdAt: 0 }],
    ])('lets %s go first', async (_, going, staying) => {
      await keep(fact('staying', staying), fact('going', going))
      expect(await bring(1)).toMatchObject({ forgotten: ['going'], left: 1 })
    })

    it('spares what is recalled', async () => {
      await keep(fact('recalled', { createdAt: now - 90 * DAY }), fact('never', { createdAt: now - 80 * DAY }))
      await memory.touch(scope, ['recalled'], now - DAY)
      expect((await bring(1)).forgotten).toEqual(['never'])
    })

    it('lets raw turns go only when it is told to, the newest never', async () => {
      await memory.append(
        scope,
        'chat',
        ['t0', 't1', 't2', 't3'].map((id, at) => turn(id, { createdAt: now - (9 - at) * DAY })),
      )
      expect(await bring(0)).toMatchObject({ forgotten: [], left: 0 })
      expect(await bring(0, { includeTurns: true, keepNewest: 2 })).toMatchObject({ forgotten: ['t0', 't1'], left: 2 })
      expect(await ids('chat')).toEqual(['t2', 't3'])
    })

    it('spares the turns of pinned and of important facts', async () => {
      await memory.append(
        scope,
        'chat',
        ['t0', 't1', 't2'].map((id) => turn(id, { importance: 0.1 })),
      )
      await keep(fact('pinned', { pinned: true, sources: ['t0'] }), fact('good', { importance: 1, sources: ['t1'] }))
      const report = await bring(4, { includeTurns: true, keepNewest: 0 })
      expect(report).toMatchObject({ forgotten: ['t2'], left: 4 })
    })

    it('says what would go and lets nothing go', async () => {
      await keep(fact('a', { expiresAt: 1 }), fact('b', { createdAt: 0 }), fact('c'), fact('d', { text: 'fact c' }))
      const planned = await bring(1, { dryRun: true })
      expect(await memory.count(scope)).toBe(4)
      expect(await bring(1)).toEqual(planned)
      expect(planned).toEqual({ expired: ['a'], merged: [{ id: 'd', into: 'c' }], forgotten: ['b'], left: 1 })
    })

    it('leaves other scopes and passages alone', async () => {
      await memory.append('bob', FACTS_DOCUMENT, [fact('his')])
      await memory.put([{ id: 'p', scope, documentId: 'book', start: 0, end: 4, index: 0, text: 'text', kind: 'passage' }])
      await keep(fact('hers'))
      expect(await bring(0, { includeTurns: true })).toMatchObject({ forgotten: ['hers'], left: 0 })
      expect([await memory.count('bob'), await memory.count(scope)]).toEqual([1, 1])
    })

    it.each([
      [{ capacity: -1 }, 'capacity'],
      [{ capacity: 1.5 }, 'capacity'],
      [{ keepNewest: Number.NaN }, 'keepNewest'],
      [{ halfLife: 0 }, 'halfLife'],
    ])('refuses %j', async (options, name) => {
      await expect(bring(1, options)).rejects.toThrow(new RegExp(`${name}.*: `))
    })

    it('stops when it is told to', async () => {
      await keep(fact('a'))
      await expect(bring(0, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
      expect(await memory.count(scope)).toBe(1)
    })
  })

  describe('expandByCoRecall', () => {
    const search = async (text: string): ReturnType<MemoryStore['search']> => memory.search({ scope, text, k: 1 })

    beforeEach(async () => {
      await memory.append(scope, 'chat', [
        turn('boat', { text: 'the boat' }),
        turn('harbour'),
        turn('rope'),
        turn('old', { expiresAt: now }),
      ])
      await memory.touch(scope, ['boat', 'harbour', 'old'], now)
      await memory.touch(scope, ['boat', 'harbour', 'rope'], now)
    })

    it('adds what was recalled together with a hit, most often first, behind the hits', async () => {
      const hits = await search('boat')
      const found = await expandByCoRecall(memory, hits, { now: now + 1 })
      expect(found.map(({ record, score }) => [record.id, score])).toEqual([
        ['boat', hits[0]?.score],
        ['harbour', (hits[0]?.score ?? 0) * 0.5],
        ['rope', (hits[0]?.score ?? 0) * 0.25],
      ])
    })

    it('keeps to its limit and to what is accepted, and adds no hit again', async () => {
      const hits = await search('boat')
      expect(await expandByCoRecall(memory, hits, { limit: 1 })).toHaveLength(2)
      expect(await expandByCoRecall(memory, hits, { accept: ({ id }) => id === 'rope' })).toHaveLength(2)
      const all = await memory.search({ scope, text: 'boat turn', k: 9 })
      expect(await expandByCoRecall(memory, all)).toEqual(all)
    })

    it('adds nothing to hits that were never recalled', async () => {
      expect(await expandByCoRecall(memory, [])).toEqual([])
    })
  })
})
