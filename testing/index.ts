/** For tests: models that follow a script, a clock that is told the time, and the conformance suite of each contract. */
export { type ChatModelFixture, chatModelSuite, type ChatModelSuiteOptions } from './chat-model-suite.ts'
export { asyncChunkerFaults, type ChunkerCheck, chunkerFaults } from './chunker-faults.ts'
export { chunkerSuite, type ChunkerSuiteOptions } from './chunker-suite.ts'
export { embedderSuite, type EmbedderSuiteOptions } from './embedder-suite.ts'
export { journalRun, journalStep, journalSuite, type JournalSuiteOptions } from './journal-suite.ts'
export type { Fault, FaultKind } from './faults.ts'
export { type LangChainChatFixture, langchainChatSuite } from './langchain-chat-suite.ts'
export { type ManualClock, manualClock } from './manual-clock.ts'
export type { SuiteExpectation, SuiteRunner } from './memory-store-fixture.ts'
export { memoryStoreSuite } from './memory-store-suite.ts'
export { askedKeys, faultyOracleModel, findNeedles, type Needle, needleLine, oracleModel, type OracleOptions } from './oracle.ts'
export { type ScriptedEmbedder, scriptedEmbedder } from './scripted-embedder.ts'
export { type ScriptedLikelihoodModel, scriptedLikelihoodModel } from './scripted-likelihood-model.ts'
export {
  type RecordedCall,
  type ScriptedCall,
  type ScriptedModel,
  scriptedModel,
  type ScriptedModelOptions,
  type ScriptedRule,
} from './scripted-model.ts'
export { rejectionOf, type TestFunction, type TestRunner } from './test-runner.ts'
