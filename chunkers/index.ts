/** What is read and how it is cut: documents, their sections and sentences, chunkers, passages, quotations. */
export type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
export { createDocument, type DocumentInit } from './create-document.ts'
export { type ChunkerDefinition, defineChunker } from './define-chunker.ts'
export type { Document, Location, Section, Span } from './document.ts'
export { findSections, type FindSectionsOptions } from './find-sections.ts'
export { fixedTokens } from './fixed-tokens.ts'
export { sentencePacked } from './sentence-packed.ts'
export { sentences } from './sentences.ts'
