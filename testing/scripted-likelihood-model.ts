import { ContextOverflowError } from '../errors/index.ts'
import { type CopiedSpan, type Likelihood, likelihoodOf, type LikelihoodModel, type LikelihoodQuery } from '../models/index.ts'
import { wordsOf } from './hash.ts'

export interface ScriptedLikelihoodModel extends LikelihoodModel {
  /** Queries scored so far, in order. */
  readonly queries: readonly LikelihoodQuery[]
  /** Prompts continued by copying so far, in order. */
  readonly copies: readonly { readonly prompt: string; readonly source: string }[]
}

const KNOWN = Math.log(0.5)
const NEW = Math.log(0.01)

/**
 * A likelihood model for tests, in which a token is a word between white space. A word that the prefix holds has probability 0.5, any other 0.01.
 * It copies the run of words that shares most with the prompt, and of those the shortest and then the first.
 */
export function scriptedLikelihoodModel(options: { readonly window?: number; readonly id?: string } = {}): ScriptedLikelihoodModel {
  const { window = 8192, id = 'scripted-likelihood' } = options
  const queries: LikelihoodQuery[] = []
  const copies: { prompt: string; source: string }[] = []
  return {
    id,
    window,
    queries,
    copies,
    count,
    async logProbs(asked, { signal } = {}) {
      return asked.map((query) => {
        signal?.throwIfAborted()
        check({ prefix: count(query.prefix), text: count(query.text) })
        queries.push(query)
        return scoreQuery(query)
      })
    },
    async copy(prompt, source, { maxTokens, signal }) {
      signal?.throwIfAborted()
      check({ prompt: count(prompt), output: maxTokens })
      copies.push({ prompt, source })
      return bestSpan(prompt, source, maxTokens)
    },
  }

  function check(parts: Record<string, number>): void {
    const tokens = Object.values(parts).reduce((sum, part) => sum + part, 0)
    if (tokens > window) throw new ContextOverflowError(`Cannot score with ${id}`, parts, window)
  }
}

function count(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

function scoreQuery({ prefix, text }: LikelihoodQuery): Likelihood {
  const known = new Set(wordsOf(prefix))
  const scores = (text.match(/\S+/g) ?? []).map((word) => scoreOf(word, known))
  return likelihoodOf(scores)
}

function scoreOf(word: string, known: ReadonlySet<string>): number {
  return wordsOf(word).some((part) => known.has(part)) ? KNOWN : NEW
}

function bestSpan(prompt: string, source: string, maxTokens: number): CopiedSpan | undefined {
  const known = new Set(wordsOf(prompt))
  const words = [...source.matchAll(/\S+/g)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    score: scoreOf(match[0], known),
  }))
  let best: { span: CopiedSpan; shared: number; length: number } | undefined
  words.forEach((first, from) => {
    let sum = 0
    let shared = 0
    words.slice(from, from + maxTokens).forEach((last, index) => {
      sum += last.score
      shared += last.score === KNOWN ? 1 : 0
      const length = index + 1
      if (best && (shared < best.shared || (shared === best.shared && length >= best.length))) return
      best = { span: { start: first.start, end: last.end, logProb: sum / length }, shared, length }
    })
  })
  return best?.span
}
