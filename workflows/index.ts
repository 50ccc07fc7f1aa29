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
export { chainOfAgents, type ChainOfAgentsOptions } from './chain-of-agents.ts'
export type { StateMachine } from './control.ts'
export { defineStrategy, type StrategyDefinition } from './define-strategy.ts'
export { type DirectOptions, stuff, truncate } from './direct.ts'
export { extract, type ExtractOptions } from './extract.ts'
export type { ControllerOptions, MemoryController, SelectedItem, Selection, SelectQuery } from './memory-controller.ts'
export type { Erasable, Erasure, Journal, JournalRun, JournalStep, RunStatus } from './journal.ts'
export type { Limits } from './limits.ts'
export { mapReduce, type MapReduceOptions } from './map-reduce.ts'
export { createMemoryJournal } from './memory-journal.ts'
export type { FieldRule, FieldRules, MergedField } from './merge-fields.ts'
export type { Paths } from './paths.ts'
export { retrieve, type RetrieveOptions } from './retrieve.ts'
export type { RoleOptions, RolePrompts } from './roles.ts'
export type { RunEvent } from './run-event.ts'
export type { RunOptions } from './run-options.ts'
export type { Run } from './run.ts'
export { openSource, type Source, type SourceInput, type SourceOptions } from './source.ts'
export { sqliteJournal } from './sqlite-journal.ts'
export { stepKey } from './step-key.ts'
export type { Plan } from './plan.ts'
export { tree, type TreeOptions } from './tree.ts'
export type { SourceContext, Step, StepOptions, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
