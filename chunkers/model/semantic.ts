import type { Embedder, NamedEmbedder } from '../../models/index.ts'
import type { AsyncChunker } from '../chunk.ts'
import { borderChunker, type BorderOptions } from './border-chunker.ts'
import { embedderName, embedTexts } from './embed-texts.ts'
import { gapDistances } from './gap-distances.ts'

export interface SemanticOptions extends BorderOptions {
  readonly embedder: Embedder | NamedEmbedder
  /** Tokens on each side of a gap that are compared, in whole sentences, one at least; three quarters of the target by default. */
  readonly window?: number
}

/** Share of the target that is compared on each side. */
export const windowShare = 0.75

/**
 * Cuts where the subject changes: where the sentences before a gap lie far from those after it by their embeddings. As in the percentile method
 * that is widely used (Kamradt, "5 Levels of Text Splitting", 2024), but over groups of sentences on both sides that the sizes of the
 * chunks decide, each sentence weighed by its length; and where to cut is chosen over the whole document, under the budget, rather than by a threshold.
 * Each sentence is embedded once, by itself.
 */
export function semantic({ embedder, window, ...borders }: SemanticOptions): AsyncChunker {
  checkWindow(window)
  return borderChunker(
    {
      name: `semantic ${embedderName(embedder)}${window === undefined ? '' : ` window ${window}`}`,
      version: 1,
      async scoreGaps(units, { target, ...watch }) {
        const vectors = await embedTexts(
          embedder,
          units.map(({ text }) => text),
          watch,
        )
        return gapDistances({ vectors, weights: units.map(({ tokens }) => tokens) }, window ?? windowShare * target)
      },
    },
    borders,
  )
}

/** @throws RangeError when a window is no number of 0 or more */
export function checkWindow(window: number | undefined): void {
  if (window !== undefined && !(window >= 0)) throw new RangeError(`Cannot make a chunker as window is no number of 0 or more: ${window}`)
}
