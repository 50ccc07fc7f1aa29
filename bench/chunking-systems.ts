/** What `chunking` compares: how a text is cut into units that are searched, and what is read once a unit is found. */
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import {
  type AsyncChunker,
  type Chunk,
  type Chunker,
  contentDefined,
  type Document,
  fixedTokens,
  passages,
  sentencePacked,
  type Span,
  withContext,
} from '../chunkers/index.ts'
import type { NamedEmbedder } from '../models/index.ts'

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
  readonly embedder: NamedEmbedder
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
    ...[200, 400].map((tokens) => chunks(fixedTokens(), tokens)),
    ...[50, 100, 200, 400].map((tokens) => chunks(sentencePacked(), tokens)),
    ...[100, 200, 400].map((tokens) => chunks(contentDefined(), tokens)),
    sentenceWindow(0),
    sentenceWindow(1),
    sentenceWindow(2),
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
        return { ...span, text: part, read: span }
      })
    },
  }
}

/** A chunker of the library at a size; a chunk with a larger piece around it is read as that piece. */
function chunks(chunker: Chunker | AsyncChunker, maxTokens: number): ChunkingSystem {
  return {
    name: `${chunker.name}-${maxTokens}`,
    async cut(document, { count, signal }) {
      const units: Unit[] = []
      for await (const chunk of chunker.chunk(document, { maxTokens, count, signal })) units.push(toUnit(chunk))
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
