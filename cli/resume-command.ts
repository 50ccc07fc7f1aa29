import type { AskFlags } from './options.ts'

interface Asked {
  readonly sources: readonly string[]
  readonly question: string
  readonly flags: AskFlags
}

/** The command that goes on with a run: what was asked, with the flags that a resumed run must share. */
export function resumeCommand({ sources, question, flags }: Asked, runId: string): string {
  const { strategy, model, paths, chunker, chunkTokens, keep, window, maxOutput, store } = flags
  const words = ['scriptorium', 'ask', ...sources, question]
  if (strategy !== 'auto') words.push('--strategy', strategy)
  if (model !== 'local') words.push('--model', model)
  if (paths !== undefined) words.push('--paths', typeof paths === 'string' ? paths : String(paths.permutations))
  if (chunker !== undefined) words.push('--chunker', chunker)
  if (chunkTokens !== undefined) words.push('--chunk-tokens', String(chunkTokens))
  if (keep !== undefined) words.push('--keep', String(keep))
  if (window !== undefined) words.push('--window', String(window))
  if (maxOutput !== undefined) words.push('--max-output', String(maxOutput))
  if (store !== undefined) words.push('--store', store)
  return [...words, '--resume', runId].map((word) => quoted(word)).join(' ')
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
