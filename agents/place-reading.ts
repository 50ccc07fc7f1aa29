import type { Chunk } from '../chunkers/index.ts'
import { emptyUnit, type Quote } from './communication-unit.ts'
import { nextQuoteNumber } from './references.ts'
import type { RecordedQuote, RecordedReading, WorkerInput, WorkerOutput } from './worker.ts'

/** Sets recorded quotations where their chunk stands in the document; ids count up from `first`. */
export function placeQuotes(quotes: readonly RecordedQuote[], chunk: Chunk, first: number): Quote[] {
  return quotes.map((quote, at) => ({
    ...quote,
    id: `q${first + at}`,
    documentId: chunk.documentId,
    chunkIndex: chunk.index,
    start: chunk.start + quote.start,
    end: chunk.start + quote.end,
  }))
}

/** Sets a recorded reading where its chunk stands: the unit handed on is the incoming one, less what was dropped, plus the new quotations. */
export function placeReading(recorded: RecordedReading, input: WorkerInput): WorkerOutput {
  const unit = input.unit ?? emptyUnit
  const quotes = placeQuotes(recorded.quotes, input.chunk, nextQuoteNumber(unit))
  const kept = unit.quotes.filter((quote) => !recorded.dropped.includes(quote.id))
  const { found, notes, flags } = recorded
  return { found, text: notes, quotes, unit: { notes, quotes: [...kept, ...quotes] }, flags }
}
