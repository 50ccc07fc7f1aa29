/** Retrieval alone: the passages that fit the question best, and an answer from them. The baseline that every strategy must beat. */
import { type Manager, type Quote, quoteManager, writingManager } from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import type { MemoryHit, MemoryQuery } from '../memory/index.ts'
import {
  type ChatModel,
  isLikelihoodModel,
  type ModelDescription,
  type NamedEmbedder,
  openLocalEmbedder,
  openLocalModel,
} from '../models/index.ts'
import type { ChunkReport } from './answer.ts'
import { toResult } from './chain-of-agents.ts'
import { skipped } from './direct.ts'
import { searchDocuments } from './narrow.ts'
import { questionOf, type RolePrompts, writing } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface RetrieveOptions {
  /** Answers from the passages; the bundled local model by default. */
  readonly model?: ChatModel
  /** The bundled local embedder by default; `false` finds by words alone. */
  readonly embedder?: NamedEmbedder | false
  /** Passages handed to the model; 8 by default. */
  readonly k?: number
  /** How words and vectors are joined; `min-max` by default. */
  readonly fusion?: MemoryQuery['fusion']
  readonly prompts?: Pick<RolePrompts, 'manager'>
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
}

export function retrieve(options: RetrieveOptions = {}): Strategy {
  let opening: Promise<Manager> | undefined
  const manager = (): Promise<Manager> => (opening ??= openManager(options))
  return {
    name: 'retrieve',
    version: 1,
    plan: async (context) => planRetrieval(context, await manager(), options),
    run: async (context) => runRetrieval(context, await manager(), options),
  }
}

async function openManager({ model, ...options }: RetrieveOptions): Promise<Manager> {
  const opened = model ?? (await openLocalModel())
  return isLikelihoodModel(opened)
    ? quoteManager(opened, { judge: false })
    : writingManager(opened, writing(opened, options, options.prompts?.manager))
}

function planRetrieval(context: SourceContext, manager: Manager, { k = 8 }: RetrieveOptions): Plan {
  const [first] = context.documents
  const text = first?.slice(0, Math.min(240, first.text.length)) ?? ''
  const quotes = Array.from({ length: k }, (_, index) =>
    asQuote({ id: `q${index + 1}`, documentId: '', start: 0, end: text.length, text }, 0),
  )
  return sumPlan('retrieve', [manager.estimate({ question: questionOf(context), unit: { notes: '', quotes } })], {
    chunks: k,
    criticalPath: 1,
  })
}

async function runRetrieval(context: StrategyContext, manager: Manager, options: RetrieveOptions): Promise<StrategyResult> {
  const { k = 8, fusion = 'min-max' } = options
  const question = questionOf(context)
  const embedder = await embedderOf(options.embedder, context)
  const hits = await searchDocuments(context, question, { embedder, k, fusion })
  const chunks = await context.chunk()
  const places = hits.map(({ record }) => chunks.find((chunk) => holds(chunk, record)))
  const unit = { notes: '', quotes: hits.map((hit, index) => hitQuote(hit, index, places[index]?.index ?? 0)) }
  context.hold({ quotes: unit.quotes.slice(0, 3) })
  context.phase('answering')
  const output = await context.step(manager, { question, unit }, { path: 'manager' })
  return { ...toResult(output, unit.quotes.slice(0, 3)), coverage: chunks.map((chunk) => coverageOf(chunk, places.includes(chunk))) }
}

function holds({ documentId, start, end }: Chunk, record: MemoryHit['record']): boolean {
  return record.documentId === documentId && start <= record.start && record.start < end
}

/** Of a chunk that counts as read, the passages that were found in it are what was read. */
function coverageOf(chunk: Chunk, isRead: boolean): ChunkReport {
  if (!isRead) return skipped(chunk, 'holds none of the best passages')
  const { documentId, index, start, end } = chunk
  return { documentId, index, start, end, outcome: 'read' }
}

/** The strategy's own embedder, else the source's, else the bundled one. */
export async function embedderOf(own: NamedEmbedder | false | undefined, context: StrategyContext): Promise<NamedEmbedder | undefined> {
  if (own === false) return undefined
  return own ?? context.embedder ?? openLocalEmbedder()
}

function hitQuote({ record, score, words, similarity = 0 }: MemoryHit, index: number, chunkIndex: number): Quote {
  return { ...asQuote({ ...record, id: `q${index + 1}` }, score, { words, similarity }), chunkIndex }
}

function asQuote(
  span: Pick<Quote, 'id' | 'documentId' | 'start' | 'end' | 'text'>,
  score: number,
  signals: Record<string, number> = {},
): Quote {
  const { id, documentId, start, end, text } = span
  return { id, documentId, chunkIndex: 0, start, end, text, how: 'exact', score, signals }
}
