/** The SQLite store with a million vectors, once: what the index still finds, how fast, and what memory and time it takes. */
import type { Bench } from './bench.ts'
import { measureStore } from './store.ts'

const PHRASES = { of: 'phrases', recall: 'recall1m', queries: 200, appends: 100 } as const

export const bench: Bench = {
  name: 'store-million',
  run: (options) =>
    measureStore(
      options,
      options.quick ? { ...PHRASES, vectors: 8_000, exactBelow: 1_000 } : { ...PHRASES, vectors: 1_000_000, exactBelow: 20_000 },
    ),
}
