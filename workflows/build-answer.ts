import type { Quote } from '../agents/index.ts'
import type { Document } from '../chunkers/index.ts'
import type { Answer, AnswerStatus, Coverage, ExtractedField, RunUsage } from './answer.ts'
import { citeQuotes } from './cite-quotes.ts'
import type { StrategyResult } from './strategy.ts'

export interface AnswerParts {
  readonly runId: string
  readonly strategy: string
  /** Those that were read; none when the run ended before they were open. */
  readonly documents: readonly Document[]
  readonly result: StrategyResult
  readonly coverage: Coverage
  readonly usage: RunUsage
  /** Why the run ended early; absent when it came to its end. */
  readonly stopped?: string
  /** Told of each quotation that is not in its document. */
  reject(quote: Quote): void
}

/** The answer of what a strategy returned, or of what it had when it was stopped: with citations that were found again in the documents. */
export function buildAnswer({ runId, strategy, documents, result, coverage, usage, stopped, reject }: AnswerParts): Answer {
  const citations = citeQuotes(result.quotes ?? [], documents, reject)
  return {
    status: stopped === undefined ? statusOf(result, coverage) : 'stopped',
    text: result.text ?? '',
    citations,
    ...(result.confidence === undefined ? {} : { confidence: result.confidence }),
    coverage,
    usage,
    runId,
    strategy,
    ...(stopped === undefined ? {} : { reason: stopped }),
    ...(result.tree === undefined ? {} : { tree: result.tree }),
    ...(result.fields === undefined ? {} : { fields: citeFields(result.fields, documents, reject) }),
  }
}

function citeFields(
  fields: NonNullable<StrategyResult['fields']>,
  documents: readonly Document[],
  reject: (quote: Quote) => void,
): NonNullable<Answer['fields']> {
  const cited = Object.entries(fields).map(([name, { value, evidence }]): [string, ExtractedField] => [
    name,
    { value, evidence: evidence.map((one) => ({ value: one.value, citations: citeQuotes(one.quotes, documents, reject) })) },
  ])
  return Object.fromEntries(cited)
}

function statusOf({ status, text = '', quotes = [] }: StrategyResult, { failed }: Coverage): AnswerStatus {
  if (failed > 0) return 'partial'
  return status ?? (text !== '' || quotes.length > 0 ? 'answered' : 'not-found')
}
