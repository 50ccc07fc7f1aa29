import type { Chunk } from './chunk.ts'
import type { Limits } from './next-piece.ts'

/** What a reader or an embedder is given of a chunk: its text, with its context in front where it has one. */
export function withContext({ context, text }: Pick<Chunk, 'context' | 'text'>): string {
  return context ? `${context}\n\n${text}` : text
}

/** As many of the lines of a context as fit the limit in front of a text, the last ones kept longest; undefined where none does. */
export function fitContext(lines: readonly string[], text: string, { maxTokens, count }: Limits): string | undefined {
  for (let from = 0; from < lines.length; from++) {
    const context = lines.slice(from).join('\n')
    if (count(withContext({ context, text })) <= maxTokens) return context
  }
  return undefined
}
