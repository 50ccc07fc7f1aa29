import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryRecord, type MemoryStore } from '../../memory/index.ts'
import { scopedStore } from '../../service/core/scoped-store.ts'
import { ownerOf, scopeOf } from '../../service/core/owner.ts'
import fc from 'fast-check'

function record(id: string, scope: string, documentId: string): MemoryRecord {
  return { id, scope, documentId, index: 0, start: 0, end: 4, text: 'kiln', kind: 'turn', vector: Float32Array.of(1, 0) }
}

let store: MemoryStore

beforeEach(async () => {
  store = createMemoryStore()
  await store.put([record('mine', 'ada', 't'), record('beside', 'ada', 'u'), record('other', 'bob', 't')])
})

/** Every method with another scope. */
const foreign: readonly (readonly [string, (view: MemoryStore) => Promise<unknown>])[] = [
  ['put', (view) => view.put([record('x', 'ada', 't'), record('x', 'bob', 't')])],
  ['append', (view) => view.append('bob', 't', [{ id: 'x', text: 'x' }])],
  ['update', (view) => view.update('bob', 'other', { pinned: true })],
  ['get', (view) => view.get('bob', 'other')],
  ['list', (view) => view.list('bob', 't')],
  ['search', (view) => view.search({ scope: 'bob', text: 'kiln', k: 5 })],
  ['touch', (view) => view.touch('bob', ['other'], 1)],
  ['use', (view) => view.use('bob', 'other')],
  ['coRecalled', (view) => view.coRecalled('bob', 'other', 5)],
  ['withoutVector', (view) => view.withoutVector('bob', 5)],
  ['isComplete', (view) => view.isComplete('bob', 't', '1')],
  ['markComplete', (view) => view.markComplete('bob', 't', '1')],
  ['delete', (view) => view.delete('bob', ['other'])],
  ['deleteDocument', (view) => view.deleteDocument('bob', 't')],
  ['deleteExpired', (view) => view.deleteExpired(1)],
  ['count', (view) => view.count('bob')],
  ['documents', (view) => view.documents('bob', 5)],
  ['findErasable', (view) => view.findErasable({ scope: 'bob' })],
  ['erase', (view) => view.erase({ scope: 'bob' })],
  ['erasableContent', async (view) => view.erasableContent({ scope: 'bob' })],
]

/** Every method with another thread of the same scope. */
const beside: readonly (readonly [string, (view: MemoryStore) => Promise<unknown>])[] = [
  ['put', (view) => view.put([record('x', 'ada', 'u')])],
  ['append', (view) => view.append('ada', 'u', [{ id: 'x', text: 'x' }])],
  ['list', (view) => view.list('ada', 'u')],
  ['search', (view) => view.search({ scope: 'ada', text: 'kiln', k: 5, documentIds: ['t', 'u'] })],
  ['isComplete', (view) => view.isComplete('ada', 'u', '1')],
  ['markComplete', (view) => view.markComplete('ada', 'u', '1')],
  ['deleteDocument', (view) => view.deleteDocument('ada', 'u')],
  ['count', (view) => view.count('ada')],
  ['erase', (view) => view.erase({ scope: 'ada', documentIds: ['t'] })],
]

describe('a view of one scope', () => {
  it.each(foreign)('refuses to %s in another', async (_name, call) => {
    await expect(call(scopedStore(store, 'ada'))).rejects.toMatchObject({ name: 'OutOfScopeError' })
    expect(await store.get('bob', 'other')).toMatchObject({ text: 'kiln' })
    expect(await store.count('bob')).toBe(1)
  })

  it('shows no scope but its own, and stays open to others when it is closed', async () => {
    const view = scopedStore(store, 'ada')
    expect(await view.scopes(10)).toEqual(['ada'])
    expect(await view.scopes(10, 'ada')).toEqual([])
    await view.close()
    expect(await store.count('bob')).toBe(1)
  })
})

describe('a view of one thread', () => {
  it.each([...foreign, ...beside])('refuses to %s outside of it', async (_name, call) => {
    await expect(call(scopedStore(store, 'ada', 't'))).rejects.toMatchObject({ name: 'OutOfScopeError' })
    expect(await store.count('ada')).toBe(2)
  })

  it('knows nothing of records beside it', async () => {
    const view = scopedStore(store, 'ada', 't')
    expect(await view.get('ada', 'beside')).toBeUndefined()
    expect(await view.update('ada', 'beside', { pinned: true })).toBe(false)
    expect(await view.use('ada', 'beside')).toBeUndefined()
    expect(await view.delete('ada', ['beside'])).toBe(0)
    await view.touch('ada', ['mine', 'beside'], 7)
    expect(await view.coRecalled('ada', 'mine', 5)).toEqual([])
    expect(await store.use('ada', 'beside')).toMatchObject({ accesses: 0 })
    expect((await view.search({ scope: 'ada', text: 'kiln', k: 5 })).map(({ record: { id } }) => id)).toEqual(['mine'])
    expect(await view.documents('ada', 5)).toMatchObject([{ documentId: 't', records: 1 }])
    expect(await view.withoutVector('ada', 5)).toEqual([])
  })
})

describe('the scope of an owner', () => {
  it('is that of no other owner, and tells whose it is', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('a","b', '"],["', '', 'a', '\\', '\ud800'))
    const property = fc.property(name, name, name, name, (tenant, user, otherTenant, otherUser) => {
      const scope = scopeOf({ tenant, user })
      const isSame = tenant === otherTenant && user === otherUser
      expect(scope === scopeOf({ tenant: otherTenant, user: otherUser })).toBe(isSame)
      expect(ownerOf(scope)).toEqual({ tenant, user })
    })
    fc.assert(property)
  })

  it.each(['default', '', '[]', '["a"]', '["a","b","c"]', '[1,2]', '[ "a","b"]', '{}'])('is not %j', (scope) => {
    expect(ownerOf(scope)).toBeUndefined()
  })
})
