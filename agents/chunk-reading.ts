/** What an agent reads of a chunk: its text, with its context in front where it has one. Quotations are looked for in the text alone. */
import { type Chunk, withContext } from '../chunkers/index.ts'

/** Tokens of what is read; a chunk without a context was counted when it was cut. */
export function readTokens(chunk: Chunk, count: (text: string) => number): number {
  return chunk.context === undefined ? chunk.tokens : count(withContext(chunk))
}

/** What of a chunk determines a reading, for an agent's key: nothing of where it stands. */
export function readKey({ text, context }: Pick<Chunk, 'text' | 'context'>): { readonly text: string; readonly context?: string } {
  return context === undefined ? { text } : { text, context }
}
