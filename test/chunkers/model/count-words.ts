import type { Chunk } from '../../../chunkers/index.ts'

/** Tokens for tests: words. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

export async function textsOf(chunks: AsyncIterable<Chunk>): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of chunks) texts.push(text)
  return texts
}
