import { badRequest } from './problem.ts'

/** Longest line, in UTF-16 code units: a record of the longest text with its vector is far below. */
const MAX_LINE = 1_000_000

/**
 * The lines of a body, as they come.
 *
 * @throws Problem for bytes that are no UTF-8, or a line that is too long
 */
export async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const bytes of body ?? []) {
    const lines = (rest + decode(decoder, bytes)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of [...lines, rest]) if (line.length > MAX_LINE) throw badRequest(`A line has more than ${MAX_LINE} characters`)
    yield* lines
  }
  rest += decode(decoder)
  if (rest !== '') yield rest
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes?: Uint8Array): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
  } catch (cause) {
    throw badRequest(`The body is no UTF-8 text: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
