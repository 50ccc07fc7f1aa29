import type { TokenEmbedder } from '../models/index.ts'
import { hash, wordsOf } from './hash.ts'

export interface ScriptedEmbedder extends TokenEmbedder {
  /** Texts embedded so far. */
  readonly embedded: number
}

/**
 * An embedder for tests: a hashed bag of words, of unit length. Texts that share words are near, the order of words does not matter, and a text
 * without words has a direction of its own. Its tokens are words, which know nothing of their neighbours.
 *
 * @throws RangeError when `dimensions` is not a whole number above 0
 */
export function scriptedEmbedder(options: { readonly dimensions?: number; readonly id?: string } = {}): ScriptedEmbedder {
  const { dimensions = 64, id = `scripted-embedder-${dimensions}` } = options
  if (!(Number.isInteger(dimensions) && dimensions > 0)) {
    throw new RangeError(`Cannot make an embedder as its dimensions must be a whole number above 0: ${dimensions}`)
  }
  let embedded = 0
  return {
    id,
    dimensions,
    get embedded() {
      return embedded
    },
    async embed(texts, { signal, onProgress } = {}) {
      return texts.map((text, index) => {
        signal?.throwIfAborted()
        const vector = bagOfWords(text, dimensions)
        embedded++
        onProgress?.(index + 1)
        return vector
      })
    },
    async embedTokens(texts, { signal, onProgress } = {}) {
      return texts.map((text, index) => {
        signal?.throwIfAborted()
        const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)]
        const vectors = new Float32Array(words.length * dimensions)
        words.forEach(([word], at) => vectors.set(bagOfWords(word, dimensions), at * dimensions))
        onProgress?.(index + 1)
        return { vectors, offsets: Int32Array.from(words.flatMap(({ 0: word, index: start }) => [start, start + word.length])) }
      })
    },
    async embedDocuments(texts) {
      embedded += texts.length
      return texts.map((text) => [...bagOfWords(text, dimensions)])
    },
    async embedQuery(text) {
      embedded++
      return [...bagOfWords(text, dimensions)]
    },
  }
}

function bagOfWords(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  const words = wordsOf(text)
  for (const word of words.length > 0 ? words : [text]) {
    const code = hash(word)
    const axis = code % dimensions
    // Half of the words count negatively, so that words on one axis need not look alike.
    vector[axis] = (vector[axis] ?? 0) + (code & 0x4000_0000 ? 1 : -1)
  }
  const length = Math.hypot(...vector)
  if (length > 0) return vector.map((value) => value / length)
  vector[hash(text) % dimensions] = 1
  return vector
}
