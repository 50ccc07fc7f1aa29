import type { Embedder, NamedEmbedder } from '../../models/index.ts'
import type { AsyncChunker } from '../chunk.ts'
import { borderChunker, type BorderOptions } from './border-chunker.ts'
import { embedderName, embedTexts } from './embed-texts.ts'
import { gapDistances, type WeightedVectors } from './gap-distances.ts'
import { checkWindow, windowShare } from './semantic.ts'

export interface CrossSegmentOptions extends BorderOptions {
  readonly embedder: Embedder | NamedEmbedder
  /** Tokens on each side of a gap that are compared, in whole sentences, one at least; three quarters of the target by default. */
  readonly window?: number
  /** How much of the document's vector is taken out of each sentence's; 0.6 by default, and 0 is `semantic`. */
  readonly fusion?: number
}

/**
 * Cuts where the subject changes, as `semantic` does, with the whole document in view of each sentence: after CrossFormer (arXiv 2503.23671,
 * 2025), which pools the embeddings of a document's segments into one vector, fuses it into each sentence, and trains a classifier of
 * borders on that. There is no classifier here and nothing is trained, so that this is the idea without its results: the document's vector (the mean
 * of its sentences, weighed by length) is taken *out of* each sentence, which leaves what sets it apart within the document, and distances over the
 * gaps stand in for the classifier. On texts made for the choice, this measured better than no fusion; adding the vector measured worse, and so did the
 * paper's maximum in the place of the mean, added or taken out.
 */
export function crossSegment({ embedder, window, fusion = 0.6, ...borders }: CrossSegmentOptions): AsyncChunker {
  checkWindow(window)
  if (!Number.isFinite(fusion)) throw new RangeError(`Cannot make a chunker as fusion is not finite: ${fusion}`)
  return borderChunker(
    {
      name: `cross-segment ${embedderName(embedder)} ${fusion}${window === undefined ? '' : ` window ${window}`}`,
      version: 1,
      async scoreGaps(units, { target, ...watch }) {
        const texts = units.map(({ text }) => text)
        const weights = units.map(({ tokens }) => tokens)
        const vectors = takeOut({ vectors: await embedTexts(embedder, texts, watch), weights }, fusion)
        return gapDistances({ vectors, weights }, window ?? windowShare * target)
      },
    },
    borders,
  )
}

/** The vectors less a share of their weighted mean. */
function takeOut({ vectors, weights }: WeightedVectors, share: number): Float32Array[] {
  const mean = new Float64Array(vectors[0]?.length ?? 0)
  let total = 0
  vectors.forEach((vector, at) => {
    const weight = weights[at] ?? 0
    total += weight
    vector.forEach((value, axis) => (mean[axis] = (mean[axis] ?? 0) + weight * value))
  })
  // Units without a token weigh nothing, all of them together too.
  const factor = share / Math.max(total, 1)
  return vectors.map((vector) => vector.map((value, axis) => value - factor * (mean[axis] ?? 0)))
}
