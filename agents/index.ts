/** Who decides, one step at a time: workers, managers, judges and the rest, each a function of a model and an input with its prompt beside it. */
export { type Agent, type AgentCall, type AgentContext, type Estimate, isAgent, type Usage } from './agent.ts'
export { type Budget, type BudgetParts, type BudgetQuery, solveBudget } from './budget.ts'
export { combineUnits } from './combine-units.ts'
export { type CommunicationUnit, emptyUnit, type Quote } from './communication-unit.ts'
export { type Conflict, conflictsOf } from './conflicts.ts'
export {
  type DirectReader,
  type DirectReaderInput,
  type DirectReaderOptions,
  type DirectReaderOutput,
  directReader,
  type RecordedAnswer,
} from './direct-reader.ts'
export {
  type ExtractorInput,
  type ExtractorOptions,
  type ExtractorOutput,
  type Extractor,
  extractor,
  type FoundValue,
  type RecordedValues,
} from './extractor.ts'
export {
  type FactExtractor,
  factExtractor,
  type FactExtractorInput,
  type FactExtractorOptions,
  type FactExtractorOutput,
} from './facts/fact-extractor.ts'
export { factText } from './facts/fact-text.ts'
export { type Field, type FieldSchema, fieldSchema, type JsonSchema, type StandardSchema } from './field-schema.ts'
export { findCandidates, type QuoteCandidate } from './find-candidates.ts'
export { findDates, type FindDatesOptions, type FoundDate } from './facts/find-dates.ts'
export { findFacts, type FindFactsOptions, type FoundFact } from './facts/find-facts.ts'
export { cutNotes, cutWords, type FitOptions, type FittedUnit, fitUnit, renderUnit } from './fit-unit.ts'
export { groupQuotes, type GroupOptions } from './group-quotes.ts'
export { groupSimilar } from './group-similar.ts'
export { type GroupLimits, groupUnits } from './group-units.ts'
export { type GuardFlag, guardNotes, isRefusal, type NotesCheck, withoutRefusals, wordsOf } from './guards.ts'
export { judge, type JudgeOptions } from './judge.ts'
export { likelihoodTurnJudge, type LikelihoodTurnJudgeOptions } from './likelihood-turn-judge.ts'
export type { Judge, JudgeInput, JudgeOutput, Manager, ManagerInput, ManagerOutput, PathResult } from './manager.ts'
export { mapper } from './mapper.ts'
export { type Mem1Budget, type Mem1Settings, solveMem1 } from './mem1/mem1-budget.ts'
export { mem1Reader, type Mem1ReaderOptions } from './mem1/mem1-reader.ts'
export {
  type Mem1Action,
  type Mem1Tags,
  neutraliseTags,
  paperTags,
  parseTurn,
  releasedTags,
  renderMem1Info,
  renderMem1Turn,
  splitState,
} from './mem1/mem1-tags.ts'
export type { Mem1Tool } from './mem1/mem1-tool.ts'
export { type Mem1Turn, mem1Turn, type Mem1TurnAgent, type Mem1TurnInput } from './mem1/mem1-turn.ts'
export { type Merger, type MergerInput, type MergerOptions, type MergerOutput, merger, type RecordedMerge } from './merger.ts'
export {
  likelihoodNeedJudge,
  type LikelihoodNeedOptions,
  needJudge,
  type NeedJudge,
  type NeedJudgeInput,
  type NeedJudgeOutput,
} from './need-judge.ts'
export { type ParsedQuote, type ParsedReply, parseReply } from './parse-reply.ts'
export { placeQuotes, placeReading } from './place-reading.ts'
export type { PromptOverride } from './prompt.ts'
export { isGrounded, quoteManager, type QuoteManagerInput, type QuoteManagerOptions } from './quote-manager.ts'
export { type QuotingInput, quotingWorker, type QuotingWorkerOptions } from './quoting-worker.ts'
export { judgeQuotes, type JudgedUnit, withEvidence } from './judge-quotes.ts'
export { type LikelihoodSignals, type QuestionedPassages, questionLikelihoods } from './question-likelihood.ts'
export { gainOf, isAboutQuestion, rankQuotes } from './rank-quotes.ts'
export { mapReferences, nextQuoteNumber, referencesOf, withoutReferences } from './references.ts'
export { sectionReader, type SectionReaderOptions } from './section-reader.ts'
export { recalledLine, type RecalledTurn, replier, type Replier, type ReplierInput, type ReplierOptions } from './replier.ts'
export {
  type JudgedTurn,
  type TurnForm,
  turnJudge,
  type TurnJudge,
  type TurnJudgeInput,
  type TurnJudgeOptions,
  type TurnJudgeOutput,
} from './turn-judge.ts'
export { turnSummary, type TurnSummary, type TurnSummaryInput, type TurnSummaryOptions, type TurnSummaryOutput } from './turn-summary.ts'
export { type Verification, type VerifiedQuote, type VerifyOptions, verifyQuotes } from './verify-quotes.ts'
export { normaliseAnswer, type Vote, vote } from './vote.ts'
export type { RecordedQuote, RecordedReading, Worker, WorkerInput, WorkerOutput } from './worker.ts'
export { NOT_FOUND_TEXT, writingManager, type WritingManagerOptions } from './writing-manager.ts'
export { defaultUnit, writingWorker, type WritingWorkerOptions } from './writing-worker.ts'
