import type { MemoryHit, MemoryRecord, MemoryStore, NewTurn } from '../memory/index.ts'

/** The part of a test runner that the suite uses; Vitest's and Jest's globals fit. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
  expect(value: unknown): SuiteExpectation
}

export interface SuiteExpectation {
  toEqual(expected: unknown): void
  toBe(expected: unknown): void
  readonly rejects: { toMatchObject(expected: object): Promise<void> }
}

/** What each part of the suite is handed. */
export interface StoreSuite {
  readonly name: string
  readonly describe: SuiteRunner['describe']
  readonly expect: SuiteRunner['expect']
  /** A test with a new, empty store, which is closed at the end. */
  test(title: string, body: (store: MemoryStore) => Promise<void>): void
}

export function createStoreSuite(name: string, make: () => Promise<MemoryStore> | MemoryStore, runner: SuiteRunner): StoreSuite {
  const { describe, it, expect } = runner
  return {
    name,
    describe,
    expect,
    test(title, body) {
      it(title, async () => {
        const store = await make()
        try {
          await body(store)
        } finally {
          await store.close()
        }
      })
    },
  }
}

const dimensions = 8
const base = { scope: 'one', documentId: 'book', start: 0, end: 4, index: 0, text: 'text' }

/** A record with what a test does not care about filled in. */
export function record(id: string, parts: Partial<MemoryRecord> = {}): MemoryRecord {
  return { ...base, id, ...parts }
}

/** A turn with what a test does not care about filled in. */
export function turn(id: string, parts: Partial<NewTurn> = {}): NewTurn {
  return { id, text: `text of ${id}`, ...parts }
}

/** A unit vector that is the same for the same seed on every machine. */
export function vector(seed: number): Float32Array {
  const raw = Array.from({ length: dimensions }, (_, index) => Math.fround(Math.sin(seed * 12.9898 + index * 78.233)))
  const norm = Math.hypot(...raw)
  return Float32Array.from(raw, (component) => component / norm)
}

export function dot(first: Float32Array, second: Float32Array): number {
  return first.reduce((sum, component, index) => sum + component * (second[index] ?? 0), 0)
}

export function ids(hits: readonly MemoryHit[]): string[] {
  return hits.map((hit) => hit.record.id)
}

export function idsOf(records: readonly MemoryRecord[]): string[] {
  return records.map(({ id }) => id)
}
