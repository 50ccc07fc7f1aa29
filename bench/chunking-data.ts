/** The corpora of chunking_evaluation (Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval", 2024): questions with the spans that answer them. */
import { createDocument, type Document, type Span } from '../chunkers/index.ts'

export const chunkingFile = 'chunking-evaluation.jsonl.gz'

export interface ChunkingQuestion {
  readonly id: string
  readonly question: string
  /** Without overlap, in order; UTF-16 code units. */
  readonly references: readonly Span[]
}

export interface ChunkingCorpus {
  readonly name: string
  readonly document: Document
  readonly questions: readonly ChunkingQuestion[]
}

interface Row {
  readonly corpus: string
  readonly text: string
  readonly questions: readonly {
    readonly question: string
    readonly references: readonly { readonly content: string; readonly start_index: number; readonly end_index: number }[]
  }[]
}

/**
 * A row as a corpus. The file's offsets count code points.
 *
 * @throws RangeError when a reference is not what stands at its offsets
 */
export function parseCorpus(row: unknown): ChunkingCorpus {
  const { corpus, text, questions } = row as Row
  const offsets = codePointOffsets(text)
  return {
    name: corpus,
    document: createDocument({ name: `${corpus}.md`, text }),
    questions: questions.map(({ question, references }, at) => ({
      id: `${corpus}-${at}`,
      question,
      references: joinSpans(
        references.map(({ content, start_index: from, end_index: to }) => {
          const span = { start: offsets[from] ?? -1, end: offsets[to] ?? -1 }
          if (text.slice(span.start, span.end) !== content)
            throw new RangeError(`Cannot use a reference of ${corpus} as other text stands at its offsets: ${from} to ${to}`)
          return span
        }),
      ),
    })),
  }
}

/** Offsets in UTF-16 code units of each code point, and of the end. */
function codePointOffsets(text: string): Uint32Array {
  const offsets = new Uint32Array(text.length + 1)
  let count = 0
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) offsets[count++] = at
  offsets[count] = text.length
  return offsets.subarray(0, count + 1)
}

/** Spans in order, those that touch or overlap as one. */
export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = []
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last && start <= last.end) joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) }
    else joined.push({ start, end })
  }
  return joined
}
