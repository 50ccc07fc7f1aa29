/** What chunkers brought back, scored by number of chunks and by tokens. */
import { mean } from 'simple-statistics'
import type { Span } from '../chunkers/index.ts'
import type { MemoryQuery } from '../memory/index.ts'
import { joinSpans } from './chunking-data.ts'
import { scoreSpans, type SpanScore } from './chunking-score.ts'
import type { ChunkingSystem } from './chunking-systems.ts'
import type { TokenRuler } from './token-ruler.ts'

/** Chunks that are retrieved, as is usual. */
export const TOP = 5
/** How chunks are searched: by vectors, and as the stores of the library do by default. */
export const MODES: Readonly<Record<Mode, NonNullable<MemoryQuery['fusion']>>> = { Vectors: 'vectors', Fused: 'min-max' }
export type Mode = 'Vectors' | 'Fused'

/** What a system made of one question. */
export interface QuestionRun {
  readonly id: string
  readonly references: readonly Span[]
  readonly ruler: TokenRuler
  /** What is read, each span once, the best first; as much as any budget takes. */
  readonly spans: Readonly<Record<Mode, readonly Span[]>>
  readonly omega: number
}

export interface SystemRun {
  readonly system: ChunkingSystem
  /** Units of all corpora, and their mean tokens. */
  readonly units: number
  readonly tokens: number
  readonly questions: readonly QuestionRun[]
  readonly ms: number
}

/** The best spans up to a budget, each text read once; the one that would go beyond it is cut. */
export function withinBudget(spans: readonly Span[], budget: number, ruler: TokenRuler): Span[] {
  let read: Span[] = []
  let left = budget
  for (const span of spans) {
    for (const part of withoutSpans(span, read)) {
      const tokens = ruler.tokens(part)
      const end = tokens <= left ? part.end : Math.min(part.end, ruler.reach(part.start, left))
      if (end > part.start) read = joinSpans([...read, { start: part.start, end }])
      left -= tokens
      if (left <= 0) return read
    }
  }
  return read
}

/** What of a span lies outside of others, which are in order. */
function withoutSpans({ start, end }: Span, others: readonly Span[]): Span[] {
  const parts: Span[] = []
  let from = start
  for (const other of others) {
    if (other.end <= from || other.start >= end) continue
    if (other.start > from) parts.push({ start: from, end: other.start })
    from = Math.max(from, other.end)
  }
  if (from < end) parts.push({ start: from, end })
  return parts
}

/** How a question is scored: by its five best chunks, or at a budget of tokens. */
export type At = 'top' | number

export interface QuestionScore extends SpanScore {
  readonly tokens: number
}

export function scoreQuestion({ spans, references, ruler }: QuestionRun, mode: Mode, at: At): QuestionScore {
  const read = at === 'top' ? spans[mode].slice(0, TOP) : withinBudget(spans[mode], at, ruler)
  return { ...scoreSpans(read, references), tokens: read.reduce((sum, span) => sum + ruler.tokens(span), 0) }
}

/** Means over the questions. */
export function meanAt({ questions }: SystemRun, mode: Mode, at: At): QuestionScore {
  const scores = questions.map((question) => scoreQuestion(question, mode, at))
  const of = (name: keyof QuestionScore): number => mean(scores.map((score) => score[name]))
  return { recall: of('recall'), precision: of('precision'), iou: of('iou'), tokens: of('tokens') }
}
