import { loadOptional } from '../errors/index.ts'

/** Vocabularies of OpenAI's models: `o200k_base` since gpt-4o, `cl100k_base` before. */
export type OpenAIEncoding = 'o200k_base' | 'cl100k_base'

/** Longest piece without a border that is handed to the tokenizer: byte-pair merging takes quadratic time on one piece. */
const LONGEST_PIECE = 500

/**
 * The exact counter of OpenAI's chat models, for `describe(model, { count, exact: true })`. The vocabulary is a file of the package js-tiktoken:
 * nothing is downloaded. Text that looks like a special token is counted as the text it is. An unbroken run of more than 500 characters is
 * counted in pieces, which may count a token too many for each piece and never one too few.
 *
 * @throws MissingPackageError when js-tiktoken is not installed
 */
export async function openAICounter(encoding: OpenAIEncoding = 'o200k_base'): Promise<(text: string) => number> {
  const { Tiktoken, ranks } = await loadOptional('js-tiktoken', 'count OpenAI tokens', () => loadTiktoken(encoding))
  const tokenizer = new Tiktoken(ranks)
  return (text) => pieces(text).reduce((tokens, piece) => tokens + tokenizer.encode(piece, [], []).length, 0)
}

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
