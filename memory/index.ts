/** Memory: what is kept of documents and what comes back for a question. */
export { fuseMinMax, fuseRank } from './fuse.ts'
export { createMemoryStore } from './in-process-store.ts'
export { loadSqlite } from './load-sqlite.ts'
export type { Erasable, ErasureFinding, ErasureTarget } from './erasable.ts'
export type { JsonValue, MemoryRecord, RecordChange, RecordKind, RecordUse, TurnRole } from './memory-record.ts'
export type {
  CoRecall,
  DocumentSummary,
  MemoryHit,
  MemoryQuery,
  MemoryStore,
  MemoryStoreOptions,
  NewTurn,
  RangeOptions,
  RankingWeights,
  RecordFilter,
} from './memory-store.ts'
export {
  indexPassages,
  type IndexPassagesOptions,
  type Passage,
  passageIndexVersion,
  searchPassages,
  type SearchPassagesOptions,
} from './passage-index.ts'
export { openMemory, type OpenMemoryOptions } from './sqlite-store.ts'
export { indexTerms, splitWords } from './words.ts'
