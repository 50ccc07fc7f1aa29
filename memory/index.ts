/** Memory: what is kept of documents and what comes back for a question. */
export { allRecords, type AllRecordsOptions } from './all-records.ts'
export { type CoRecallOptions, expandByCoRecall } from './expand-by-co-recall.ts'
export { FactIndex } from './fact-index.ts'
export { type Fact, factKey, factMetadata, factOf, FACTS_DOCUMENT, isCurrent, isSameStatement, normaliseFactText } from './fact-record.ts'
export { forget, type ForgetOptions, type Forgotten } from './forget.ts'
export { fuseMinMax, fuseRank } from './fuse.ts'
export type { FileMemoryStore, StoreStatistics } from './file-memory-store.ts'
export { createMemoryStore } from './in-process-store.ts'
export { loadSqlite } from './sqlite/load-sqlite.ts'
export type { Erasable, ErasureFinding, ErasureTarget } from './erasable.ts'
export { hashErasable } from './hash-erasable.ts'
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
export { createRecordTest } from './record-filter.ts'
export { isSameFact, SAME_FACT_SIMILARITY } from './same-fact.ts'
export type { OpenMemoryOptions } from './sqlite/sqlite-file.ts'
export { openPostgresMemory, type PostgresMemoryOptions } from './postgres/open-postgres.ts'
export { openMemory } from './sqlite/sqlite-store.ts'
export { checkEmbedder } from './vectors.ts'
export { exportMemory, type ExportOptions, importMemory } from './transfer.ts'
export { indexTerms, splitWords } from './words.ts'
