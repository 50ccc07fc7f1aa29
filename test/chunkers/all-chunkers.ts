import {
  type Chunker,
  contextual,
  defineChunker,
  fixedTokens,
  mergeTiny,
  parentChild,
  recursive,
  sentencePacked,
  structural,
} from '../../chunkers/index.ts'
import type { ChunkerSuiteOptions } from '../../testing/index.ts'

function byLine(): Chunker {
  return defineChunker({
    name: 'line',
    version: 1,
    *cut(text) {
      for (const match of text.matchAll(/^.+$/gm)) yield [match.index, match.index + match[0].length]
    },
  })
}

/** The chunkers that ask no model, each as the conformance suite makes it. */
export const CHUNKERS: Readonly<Record<string, ChunkerSuiteOptions & { readonly make: () => Chunker }>> = {
  sentencePacked: { make: sentencePacked },
  fixedTokens: { make: fixedTokens },
  recursive: { make: recursive },
  // A header in front of rows takes up to half of the limit.
  structural: { make: structural, graphemeShare: 0.5 },
  'defineChunker by line': { make: byLine },
  'parentChild of structural and sentencePacked': { make: () => parentChild({ parent: structural(), child: sentencePacked() }) },
  'contextual of structural': { make: () => contextual(structural()), graphemeShare: 0.4 },
  'mergeTiny of lines': { make: () => mergeTiny(byLine()) },
}
