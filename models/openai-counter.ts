import { loadOptional } from '../errors/index.ts'

/** Vocabularies of OpenAI's models: `o200k_base` since gpt-4o, `cl100k_base` before. */
export type OpenAIEncoding = 'o200k_base' | 'cl100k_base'

/** Longest piece without a border that is handed to the tokenizer: byte-pair merging takes quadratic time on one piece. */
const LONGEST_PIECE = 100

/**
 * The exact counter of OpenAI's chat models, for `describe(model, { count, exact: true })`. The vocabulary is a file of the package js-tiktoken:
 * nothing is downloaded. Text that looks like a special token is counted as the text it is. An unbroken run of more than 100 characters is
 * counted in pieces, which may differ by a token for each piece. A vocabulary is loaded once, for about a second of work.
 *
 * @throws MissingPackageError when js-tiktoken is not installed
 */
export async function openAICounter(encoding: OpenAIEncoding = 'o200k_base'): Promise<(text: string) => number> {
  const known = counters.get(encoding)
  if (known) return known
  const { Tiktoken, ranks } = await loadOptional('js-tiktoken', 'count OpenAI tokens', () => loadTiktoken(encoding))
  const tokenizer = new Tiktoken(ranks)
  const counter = (text: string): number => pieces(text).reduce((tokens, piece) => tokens + tokenizer.encode(piece, [], []).length, 0)
  counters.set(encoding, counter)
  return counter
}

const counters = new Map<OpenAIEncoding, (text: string) => number>()

async function loadTiktoken(encoding: OpenAIEncoding) {
  const [{ Tiktoken }, ranks] = await Promise.all([
    import('js-tiktoken/lite'),
    encoding === 'o200k_base' ? import('js-tiktoken/ranks/o200k_base') : import('js-tiktoken/ranks/cl100k_base'),
  ])
  return { Tiktoken, ranks: ranks.default }
}

function pieces(text: string): string[] {
  const found: string[] = []
  let from = 0
  for (const run of text.matchAll(UNBROKEN)) {
    for (let cut = run.index + LONGEST_PIECE; cut < run.index + run[0].length; cut += LONGEST_PIECE) {
      const at = isLowSurrogate(text.charCodeAt(cut)) ? cut - 1 : cut
      found.push(text.slice(from, at))
      from = at
    }
  }
  found.push(text.slice(from))
  return found
}

const UNBROKEN = new RegExp(`\\S{${LONGEST_PIECE},}|\\s{${LONGEST_PIECE},}`, 'gu')

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
