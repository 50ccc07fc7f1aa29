import type { LocalReply } from '../models/index.ts'

/**
 * The parts of a reply up to the first of some texts, wherever the borders of the parts lie: what may be the beginning of one waits for the next
 * part. The stream is left at the stop.
 *
 * @param usage what a reply that ended there has used, by what was read of it
 * @throws TypeError for an empty text
 */
export async function* stopText(
  parts: AsyncIterable<LocalReply>,
  stop: readonly string[],
  usage: (text: string) => LocalReply['usage_metadata'],
): AsyncGenerator<LocalReply, undefined> {
  if (stop.includes('')) throw new TypeError('Cannot stop at a text as it is empty: give at least one character')
  let read = ''
  let held = ''
  for await (const part of parts) {
    read += part.content
    held += part.content
    const at = firstOf(held, stop)
    if (at >= 0) {
      yield {
        usage_metadata: usage(read),
        ...part,
        content: held.slice(0, at),
        response_metadata: { ...part.response_metadata, finish_reason: 'stop' },
      }
      return
    }
    const keep = part.usage_metadata === undefined ? beginning(held, stop) : 0
    yield { ...part, content: held.slice(0, held.length - keep) }
    held = held.slice(held.length - keep)
  }
}

/** Where the first of the texts begins; -1 where none is. */
function firstOf(text: string, stop: readonly string[]): number {
  const places = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0)
  return places.length === 0 ? -1 : Math.min(...places)
}

/** Length of the longest end of a text that one of the texts begins with. */
function beginning(text: string, stop: readonly string[]): number {
  const lengths = stop.map((word) => {
    let length = Math.min(word.length - 1, text.length)
    while (length > 0 && !text.endsWith(word.slice(0, length))) length--
    return length
  })
  return Math.max(0, ...lengths)
}
