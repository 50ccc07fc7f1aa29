import type { Embedder, NamedEmbedder } from '../models/index.ts'
import { rejectionOf, type TestRunner } from './test-runner.ts'

export interface EmbedderSuiteOptions {
  /** Largest difference of a coordinate between a batch and its members; 1e-5 by default. */
  readonly tolerance?: number
}

const TEXTS = [
  'Call me Ishmael.',
  'The whale is white.',
  '',
  ' ',
  'A captain with an ivory leg',
  '鯨は白い。',
  'word '.repeat(300),
  '\ud83d\udc33',
]

/**
 * The conformance suite of `Embedder`: one vector a text, in order, all of one length and finite; a batch equals its members one by one; an empty
 * list gives an empty list. An embedder with a name and dimensions (`NamedEmbedder`) is held to those too.
 *
 * @param make makes the embedder under test, for each test anew
 */
export function embedderSuite(
  name: string,
  make: () => Embedder | NamedEmbedder | Promise<Embedder | NamedEmbedder>,
  runner: TestRunner,
  options: EmbedderSuiteOptions = {},
): void {
  const { describe, it, expect } = runner
  const { tolerance = 1e-5 } = options

  describe(`${name} is an embedder`, () => {
    it('gives each text one finite vector, all of one length', async () => {
      const embedder = await make()
      const vectors = await embedder.embedDocuments([...TEXTS])
      expect(vectors.length).toBe(TEXTS.length)
      expect(new Set(vectors.map((vector) => vector.length)).size).toBe(1)
      expect(vectors.every((vector) => vector.length > 0 && vector.every((value) => Number.isFinite(value)))).toBe(true)
    })
    it('gives a batch the vectors of its members, in order', async () => {
      const embedder = await make()
      const batch = await embedder.embedDocuments([...TEXTS])
      for (const [index, text] of TEXTS.entries()) {
        const [alone = []] = await embedder.embedDocuments([text])
        expect(distance(batch[index], alone) <= tolerance).toBe(true)
      }
    })
    it('tells different texts apart', async () => {
      const [first, second] = await (await make()).embedDocuments(['Call me Ishmael.', 'The whale is white.'])
      expect(distance(first, second ?? []) > tolerance).toBe(true)
    })
    it('gives a query a vector of the same length', async () => {
      const embedder = await make()
      const [vector] = await embedder.embedDocuments(['Who hunts?'])
      expect((await embedder.embedQuery('Who hunts?')).length).toBe(vector?.length)
    })
    it('gives nothing for nothing', async () => {
      expect(await (await make()).embedDocuments([])).toEqual([])
    })
    it('leaves the texts of its caller as they are', async () => {
      const texts = [...TEXTS]
      await (await make()).embedDocuments(texts)
      expect(texts).toEqual(TEXTS)
    })
    it('keeps what its name and dimensions promise, where it has them', async () => {
      const embedder = await make()
      if (!isNamed(embedder)) return
      const progress: number[] = []
      const vectors = await embedder.embed(TEXTS, { onProgress: (done) => progress.push(done) })
      const plain = await embedder.embedDocuments([...TEXTS])
      expect(embedder.id.length > 0).toBe(true)
      expect(vectors.map((vector) => vector.length)).toEqual(TEXTS.map(() => embedder.dimensions))
      expect(vectors.every((vector, index) => distance(vector, plain[index] ?? []) <= tolerance)).toBe(true)
      expect(progress.at(-1)).toBe(TEXTS.length)
      expect(await embedder.embed([])).toEqual([])
      const reason = { stopped: 'before' }
      expect(await rejectionOf(embedder.embed(['text'], { signal: AbortSignal.abort(reason) }))).toBe(reason)
    })
  })
}

function isNamed(embedder: Embedder): embedder is NamedEmbedder {
  return 'dimensions' in embedder && 'embed' in embedder
}

/** Largest difference of a coordinate. */
function distance(a: ArrayLike<number> | undefined, b: ArrayLike<number>): number {
  if (a === undefined || a.length !== b.length) return Infinity
  let largest = 0
  for (let index = 0; index < a.length; index++) largest = Math.max(largest, Math.abs((a[index] ?? 0) - (b[index] ?? 0)))
  return largest
}
