/** In what order: runs, their strategies, the journal that makes them resumable. */
export type {
  Answer,
  AnswerStatus,
  ChunkOutcome,
  ChunkReport,
  Citation,
  Coverage,
  ExtractedField,
  RunUsage,
  Verification,
} from './answer.ts'
export type { AnswerTree, Span, TreeMark, TreeNode } from './answer-tree.ts'
export { ask, type AskOptions, plan } from './ask.ts'
export { auto, type AutoOptions } from './auto.ts'
export { cacheHolder, type CacheHolderOptions } from './cache-holder.ts'
export { chainOfAgents, type ChainOfAgentsOptions } from './chain-of-agents.ts'
export type { StateMachine } from './control.ts'
export { type Conversation, type ConversationOptions, importConversation, openConversation, type SendOptions } from './conversation.ts'
export { defineStrategy, type StrategyDefinition } from './define-strategy.ts'
export type { FactChange } from './fact-book.ts'
export { deriveThread, type DeriveThreadOptions } from './derive-thread.ts'
export { createTurnDeriver, type DeriveOptions, type TurnDeriver } from './derive-turns.ts'
export { type DerivedFacts, deriveFacts, type DeriveFactsOptions } from './derive-facts.ts'
export { type DirectOptions, stuff, truncate } from './direct.ts'
export { erasure, type Erasure, type ErasureOptions, type ErasurePreview, type ErasureReceipt } from './erasure.ts'
export type { ErasureScan, SearchProbe } from './erasure-check.ts'
export { extract, type ExtractOptions } from './extract.ts'
export { fullHistory } from './full-history.ts'
export { homer, type HomerOptions } from './homer-strategy.ts'
export type { ControllerOptions, MemoryController, SelectedItem, Selection, SelectQuery } from './memory-controller.ts'
export type { Journal, JournalRun, JournalStep, RunStatus } from './journal.ts'
export type { Job, JobHandler, JobListOptions, JobQueue, JobState, NewJob } from './job-queue.ts'
export type { Limits } from './limits.ts'
export { mapReduce, type MapReduceOptions } from './map-reduce.ts'
export { composeQuestions, type Mem1, mem1, type Mem1Options, type Mem1Result, type Mem1RunOptions, type Mem1Step } from './mem1.ts'
export { type Mem1Archive, mem1Archive, type Mem1ArchiveOptions, RECALL } from './mem1-archive.ts'
export { mem1Strategy, type Mem1StrategyOptions } from './mem1-strategy.ts'
export { createMemoryJournal } from './memory-journal.ts'
export type { FieldRule, FieldRules, MergedField } from './merge-fields.ts'
export { naiveMemory, type NaiveMemoryOptions } from './naive-memory.ts'
export type { Paths } from './paths.ts'
export { retrieve, type RetrieveOptions } from './retrieve.ts'
export type { RoleOptions, RolePrompts } from './roles.ts'
export type { RunEvent } from './run-event.ts'
export type { RunOptions } from './run-options.ts'
export type { Run } from './run.ts'
export { scm, type ScmOptions } from './scm.ts'
export { scmController, type ScmControllerOptions, type ScmPart } from './scm-controller.ts'
export { slidingWindow, type SlidingWindowOptions, truncateHistory } from './sliding-window.ts'
export { openSource, type Source, type SourceInput, type SourceOptions } from './source.ts'
export { sqliteJournal } from './sqlite-journal.ts'
export { currentFacts, profile, type ProfileOptions } from './profile.ts'
export { setFact, type SetFactOptions } from './set-fact.ts'
export { stepKey } from './step-key.ts'
export { summaryBuffer, type SummaryBufferOptions } from './summary-buffer.ts'
export type { Plan } from './plan.ts'
export { tree, type TreeOptions } from './tree.ts'
export type { SourceContext, Step, StepOptions, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
