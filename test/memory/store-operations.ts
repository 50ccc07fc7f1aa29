/** Calls of a store at random, for comparing two stores. */
import fc from 'fast-check'
import type { MemoryQuery, MemoryRecord, MemoryStore } from '../../memory/index.ts'
import { turnVector } from './turn-vector.ts'

/** Few of each, so that operations meet. */
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const scope = fc.constantFrom('one', 'two')
const document = fc.constantFrom('x', 'y')
const time = fc.integer({ min: 0, max: 5 })
const text = fc.array(fc.constantFrom('whale', 'ship', 'rope', 'deck', 'sea', 'wind'), { maxLength: 5 }).map((words) => words.join(' '))
const vector = fc.option(
  fc.integer({ min: 0, max: 30 }).map((seed) => turnVector(`${seed}`)),
  { nil: undefined },
)

const traits = fc.record(
  {
    kind: fc.constantFrom('passage', 'turn', 'fact'),
    role: fc.constantFrom('user', 'assistant'),
    createdAt: time,
    expiresAt: time,
    validFrom: time,
    validTo: time,
    pinned: fc.boolean(),
    importance: fc.constantFrom(0, 0.25, 1),
    summary: text,
    supersededBy: id,
    sources: fc.uniqueArray(id, { maxLength: 2 }),
    metadata: fc.record({ tag: fc.constantFrom(1, '1', null, true) }),
    vector,
  },
  { requiredKeys: [] },
)
const change = fc.record(
  {
    summary: fc.option(text),
    vector: fc.option(fc.integer({ min: 0, max: 30 }).map((seed) => turnVector(`${seed}`))),
    importance: fc.option(fc.constantFrom(0, 0.5)),
    expiresAt: fc.option(time),
    validTo: fc.option(time),
    pinned: fc.option(fc.boolean()),
    metadata: fc.option(fc.record({ tag: fc.constantFrom(1, '1') })),
  },
  { requiredKeys: [] },
)
const filter = fc.record(
  {
    documentIds: fc.uniqueArray(document),
    kinds: fc.uniqueArray(fc.constantFrom('passage' as const, 'turn' as const, 'fact' as const)),
    roles: fc.constantFrom(['user' as const]),
    from: time,
    until: time,
    validAt: time,
    now: time,
    metadata: fc.constantFrom({ tag: 1 }, { tag: null }),
  },
  { requiredKeys: [] },
)
const ranking = fc.record(
  {
    vector,
    neighbours: fc.integer({ min: 0, max: 2 }),
    fusion: fc.constantFrom('min-max' as const, 'rank' as const, 'words' as const, 'vectors' as const),
    weights: fc.constantFrom({ importance: 0.5 }, { accesses: 0.3 }, { recency: { weight: 0.7, halfLife: 2, now: 4 } }),
    relevance: fc.constantFrom(1, 0.5),
  },
  { requiredKeys: [] },
)

/** A call, and what it gives: values in which two stores must agree. */
export type Operation = (store: MemoryStore) => Promise<unknown>

/** An error by what a caller can tell it by, as each store names itself in the message. */
export async function outcome(operation: Operation, store: MemoryStore): Promise<unknown> {
  try {
    return await operation(store)
  } catch (error) {
    const { name, reason } = error as { name: string; reason?: string }
    return { name, reason }
  }
}

/** @param summary what two stores must agree in of a search */
export function createOperations(summary: (store: MemoryStore, query: MemoryQuery) => Promise<unknown>): fc.Arbitrary<Operation> {
  return fc.oneof(
    fc.tuple(scope, document, id, fc.integer({ min: 0, max: 4 }), text, traits).map(([inScope, documentId, newId, index, words, parts]) => {
      const record = { ...parts, id: newId, scope: inScope, documentId, index, start: 0, end: 9, text: words } as MemoryRecord
      return (store: MemoryStore) => store.put([record])
    }),
    fc.tuple(scope, document, fc.array(fc.tuple(id, text, traits), { maxLength: 3 })).map(([inScope, documentId, turns]) => {
      const added = turns.map(([newId, words, parts]) => ({ ...parts, id: newId, text: words })) as unknown as Parameters<
        MemoryStore['append']
      >[2]
      return (store: MemoryStore) => store.append(inScope, documentId, added)
    }),
    fc.tuple(scope, id, change).map(
      ([inScope, ofId, changes]) =>
        (store: MemoryStore) =>
          store.update(inScope, ofId, changes),
    ),
    fc.tuple(scope, fc.array(id, { maxLength: 3 }), time).map(
      ([inScope, ids, at]) =>
        (store: MemoryStore) =>
          store.touch(inScope, ids, at),
    ),
    fc.tuple(scope, fc.array(id, { maxLength: 2 })).map(
      ([inScope, ids]) =>
        (store: MemoryStore) =>
          store.delete(inScope, ids),
    ),
    fc.tuple(scope, document).map(
      ([inScope, of]) =>
        (store: MemoryStore) =>
          store.deleteDocument(inScope, of),
    ),
    time.map((now) => (store: MemoryStore) => store.deleteExpired(now)),
    fc.tuple(scope, fc.uniqueArray(id, { maxLength: 2 }), fc.uniqueArray(document, { maxLength: 1 })).map(
      ([inScope, ids, documentIds]) =>
        (store: MemoryStore) =>
          store.erase({ scope: inScope, ids, documentIds }),
    ),
    fc.tuple(scope, text, filter, ranking).map(([inScope, words, asked, ranked]) => {
      // As many as there are, as another score may choose others.
      const query = { scope: inScope, text: words, k: 20, ...asked, ...ranked } as MemoryQuery
      return (store: MemoryStore) => summary(store, query)
    }),
  )
}

/** Everything that a store tells of what it holds. */
export async function contents(store: MemoryStore): Promise<unknown> {
  const all: unknown[] = [await store.scopes(9)]
  for (const inScope of ['one', 'two']) {
    all.push(await store.documents(inScope, 9), await store.withoutVector(inScope, 99), await store.count(inScope))
    all.push(await store.findErasable({ scope: inScope }))
    for (const of of ['x', 'y']) all.push(await store.list(inScope, of), await store.list(inScope, of, { from: 1, limit: 2, newest: true }))
    for (const of of ['a', 'b', 'c', 'd', 'e']) all.push(await store.use(inScope, of), await store.coRecalled(inScope, of, 9))
  }
  return all
}
