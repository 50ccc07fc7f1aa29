import type { Quote } from '../agents/index.ts'
import { createMemoryStore, indexPassages, type MemoryHit, searchPassages } from '../memory/index.ts'
import type { HomerTree, NamedEmbedder } from '../models/index.ts'
import { chunkSpans } from './homer-steps.ts'
import type { JoinedText } from './joined-text.ts'
import { questionOf } from './roles.ts'
import type { StrategyContext } from './strategy.ts'
import type { SurvivingPassage } from './surviving-passages.ts'

export interface Survivors {
  readonly survivors: readonly SurvivingPassage[]
  readonly joined: JoinedText
  readonly tree: HomerTree
}

/** Surviving sentences as quotations, with what words and vectors say of them beside what the merge said. */
export async function quoteSurvivors(
  context: StrategyContext,
  { survivors, joined, tree }: Survivors,
  embedder: NamedEmbedder | undefined,
): Promise<Quote[]> {
  const chunks = chunkSpans(tree, joined)
  const quotes = survivors.flatMap(({ document: place, start, end, score, kept }, at): Quote[] => {
    const document = joined.parts[place]?.document
    if (document === undefined) return []
    const leaf = chunks.find((chunk) => chunk.document === document && chunk.start <= start && start < chunk.end)?.leaf ?? 0
    const text = document.slice(start, end)
    const signals = { significance: score, kept }
    return [{ id: `q${at + 1}`, documentId: document.id, chunkIndex: leaf, start, end, text, how: 'exact', score, signals }]
  })
  const hits = await compare(context, quotes, embedder)
  return quotes.map((quote) => compared(quote, hits.get(quote.id)))
}

function compared(quote: Quote, { words = 0, similarity = 0 }: Partial<MemoryHit> = {}): Quote {
  return { ...quote, signals: { ...quote.signals, words, similarity } }
}

/** What retrieval would say of the quotations if there were nothing else. */
async function compare(
  context: StrategyContext,
  quotes: readonly Quote[],
  embedder: NamedEmbedder | undefined,
): Promise<ReadonlyMap<string, MemoryHit>> {
  if (quotes.length === 0) return new Map()
  const common = { store: createMemoryStore(), scope: 'survivors', embedder, signal: context.signal }
  const passages = quotes.map(({ id, start, end, text }, index) => ({ id, start, end, index, text }))
  await indexPassages({ ...common, documentId: 'survivors', passages, version: '1' })
  const hits = await searchPassages({ ...common, question: questionOf(context), k: quotes.length })
  return new Map(hits.map((hit) => [hit.record.id, hit]))
}
