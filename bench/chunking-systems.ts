/** What `chunking` compares: how a text is cut into units that are searched, and what is read once a unit is found. */
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import {
  type AsyncChunker,
  type Chunk,
  type Chunker,
  chulo,
  contentDefined,
  contextual,
  crossSegment,
  type Document,
  fixedTokens,
  inContext,
  lateChunking,
  parentChild,
  passages,
  recursive,
  semantic,
  sentencePacked,
  type Span,
  structural,
  withContext,
} from '../chunkers/index.ts'
import type { TokenEmbedder } from '../models/index.ts'

/** A piece that is searched. */
export interface Unit extends Span {
  /** What is embedded, and indexed by its words. */
  readonly text: string
  /** Made by the chunker, where it makes some. */
  readonly vector?: Float32Array
  /** What is read when it is found. */
  readonly read: Span
}

/** What a system may cut with. */
export interface Cutting {
  readonly count: (text: string) => number
  readonly embedder: TokenEmbedder
  readonly signal: AbortSignal
}

export interface ChunkingSystem {
  readonly name: string
  /** Whether it is a recursive character splitter: what the others have to beat. */
  readonly isFloor?: boolean
  cut(document: Document, cutting: Cutting): Promise<readonly Unit[]>
}

/** All systems, the floors first. */
export function chunkingSystems(): ChunkingSystem[] {
  return [
    langchainRecursive(200),
    langchainRecursive(400),
    ...[200, 400].map((tokens) => chunks(`recursive-${tokens}`, tokens, () => recursive())),
    ...[200, 400].map((tokens) => chunks(`fixed-tokens-${tokens}`, tokens, () => fixedTokens())),
    ...[50, 100, 200, 400].map((tokens) => chunks(`sentence-packed-${tokens}`, tokens, () => sentencePacked())),
    ...[100, 200, 400].map((tokens) => chunks(`content-defined-${tokens}`, tokens, () => contentDefined())),
    chunks('structural-200', 200, () => structural()),
    chunks('contextual-200', 200, () => contextual(sentencePacked())),
    chunks('parent-child-50-200', 50, () => parentChild({ parent: sentencePacked(), child: sentencePacked() })),
    chunks('semantic-200', 200, ({ embedder }) => semantic({ embedder })),
    chunks('cross-segment-200', 200, ({ embedder }) => crossSegment({ embedder })),
    chunks('chulo-200', 200, ({ embedder }) => chulo({ embedder })),
    chunks('late-200', 200, ({ embedder }) => lateChunking({ chunker: sentencePacked(), embedder })),
    sentenceWindow(0),
    sentenceWindow(1),
    sentenceWindow(2),
    ...[100, 200, 400].map((tokens) => chunks(`in-context-${tokens}`, tokens, ({ embedder }) => inContext({ embedder }))),
  ]
}

/** LangChain's own splitter, as the floor. */
function langchainRecursive(tokens: number): ChunkingSystem {
  return {
    name: `langchain-recursive-${tokens}`,
    isFloor: true,
    async cut({ text }, { count }) {
      const splitter = new RecursiveCharacterTextSplitter({ chunkSize: tokens, chunkOverlap: 0, lengthFunction: count })
      let from = 0
      return (await splitter.splitText(text)).map((part) => {
        const start = text.indexOf(part, from)
        if (start < 0) throw new RangeError(`Cannot place a chunk of LangChain's splitter as it is not in the text after ${from}`)
        from = start + part.length
        const span = { start, end: from }
        return { start, end: from, text: part, read: span }
      })
    },
  }
}

/** A chunker of the library at a size; a chunk with a larger piece around it is read as that piece. */
function chunks(name: string, maxTokens: number, make: (cutting: Cutting) => Chunker | AsyncChunker): ChunkingSystem {
  return {
    name,
    async cut(document, cutting) {
      const { count, signal } = cutting
      const units: Unit[] = []
      for await (const chunk of make(cutting).chunk(document, { maxTokens, count, signal })) units.push(toUnit(chunk))
      return units
    },
  }
}

function toUnit(chunk: Chunk): Unit {
  const { start, end, parent = { start, end }, vector } = chunk
  return { start, end, text: withContext(chunk), read: parent, ...(vector === undefined ? {} : { vector }) }
}

/** Sentences, as the library indexes them, each read with so many on each side. */
function sentenceWindow(reach: number): ChunkingSystem {
  return {
    name: reach === 0 ? 'sentences' : `sentences-window-${reach}`,
    async cut(document, { count }) {
      const cut = passages(document, { count })
      return cut.map(({ start, end, text }, at) => ({
        start,
        end,
        text,
        read: { start: cut[Math.max(0, at - reach)]!.start, end: cut[Math.min(cut.length - 1, at + reach)]!.end },
      }))
    },
  }
}
