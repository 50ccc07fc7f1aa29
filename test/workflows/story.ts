import { createDocument, type Document } from '../../chunkers/index.ts'
import type { RunEvent } from '../../workflows/index.ts'

/** A text of numbered sentences with facts at known places. */
export function story(sentences: number, facts: Readonly<Record<number, string>> = {}): Document {
  const lines = Array.from({ length: sentences }, (_, place) => facts[place] ?? `On day ${place} the crew mended sails and saw nothing.`)
  return createDocument({ text: lines.join('\n'), name: 'story.txt', sections: [] })
}

export async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const collected: RunEvent[] = []
  for await (const event of events) collected.push(event)
  return collected
}

/** A reply of a writing worker or manager, in the form that both read. */
export function notes(text: string, ...quotes: string[]): string {
  return [`NOTES: ${text}`, ...quotes.map((quote) => `QUOTE: "${quote}"`)].join('\n')
}
