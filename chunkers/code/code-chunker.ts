import type { AsyncChunker, Chunk, Chunker, ChunkOptions } from '../chunk.ts'
import type { Document } from '../document.ts'
import { codeLanguage } from '../loaders/code-language.ts'
import { checkChunkOptions, type ChunkPiece, toChunks } from '../make-chunk.ts'
import { sentencePacked } from '../sentence-packed.ts'
import { type Border, createBorderList } from './borders.ts'
import { codeLanguages, grammarOf, loadGrammar } from './grammars.ts'
import { guessLanguage } from './guess-language.ts'
import { lineBorders } from './line-borders.ts'
import { createMeasure } from './measure.ts'
import { packBorders } from './pack-borders.ts'
import { parseCode } from './parse-code.ts'
import { treeBorders } from './tree-borders.ts'

export interface CodeChunkerOptions {
  /** Language of all documents, named as in `codeLanguages`; by default that of each document. */
  readonly language?: string
  /** Cuts what is no source code; `sentencePacked` by default. */
  readonly fallback?: Chunker | AsyncChunker
  /** Milliseconds of a clock, to end a parse that takes too long; the computer's by default. */
  readonly now?: () => number
}

/**
 * Cuts source code by its syntax tree: whole classes and functions where they fit, else between their members and statements; small neighbours are
 * packed up to the budget. Comments, decorators and attributes stay with what follows them, a doc string with its signature. It is cAST (Zhang et al.
 * 2025, arXiv 2506.15655), with borders by rank and budgets in tokens.
 *
 * A chunk that begins inside a class or a function carries the signatures around its start as `context`, a line each. Imports are not carried:
 * they are the same for all chunks of a file, so that they would make its chunks alike to an embedder and cost each reader the same tokens again.
 *
 * The language is what the loader says, else what the first line, the name or the content of a text says. Code of a language without a grammar, code
 * that is mostly errors, and files above 4 million characters are cut at blank lines and by indentation; what is no source code, by `fallback`. A file
 * is read to its end before its first chunk comes.
 *
 * @throws TypeError for a language that is not known; while it chunks, MissingPackageError when the parser is not installed
 */
export function codeChunker(options: CodeChunkerOptions = {}): AsyncChunker {
  const { language, fallback = sentencePacked(), now = () => performance.now() } = options
  if (language !== undefined && !codeLanguages.includes(language)) {
    throw new TypeError(`Cannot cut code as its language is not known: ${language}. Known are ${codeLanguages.join(', ')}`)
  }
  return {
    name: 'code',
    version: 1,
    chunk(document: Document, chunkOptions: ChunkOptions): AsyncIterable<Chunk> {
      checkChunkOptions(chunkOptions)
      return { [Symbol.asyncIterator]: () => cut(document, { language: language ?? languageOf(document), fallback, now }, chunkOptions) }
    },
  }
}

async function* cut(
  document: Document,
  { language, fallback, now }: Required<Pick<CodeChunkerOptions, 'fallback' | 'now'>> & { readonly language: string | undefined },
  options: ChunkOptions,
): AsyncGenerator<Chunk> {
  options.signal?.throwIfAborted()
  if (language === undefined) yield* fallback.chunk(document, options)
  else yield* toChunks(document, await piecesOf(document.text, language, now, options), options)
}

async function piecesOf(text: string, language: string, now: () => number, options: ChunkOptions): Promise<Iterable<ChunkPiece>> {
  const { maxTokens, count } = options
  const grammar = grammarOf(language)
  const measure = createMeasure(text, maxTokens, count)
  const borders =
    grammar &&
    (await parseCode(text, await loadGrammar(grammar), now, (root) =>
      treeBorders(root, text, { scopes: grammar.scopes, measure, maxTokens }),
    ))
  return packBorders(text, borders ?? linesOf(text), measure, options)
}

function linesOf(text: string): readonly Border[] {
  const list = createBorderList(text)
  for (const border of lineBorders(text, { start: 0, end: text.length, scope: undefined })) list.add(border)
  return list.borders
}

/** Formats whose text may be source code that was not named as such. */
const OPEN_FORMATS = new Set([undefined, 'text'])

function languageOf({ format, marks, text, name }: Document): string | undefined {
  if (format === 'code') return marks.find(({ type }) => type === 'code')?.value
  return OPEN_FORMATS.has(format) ? (codeLanguage(text, name) ?? guessLanguage(text)) : undefined
}
