import { describe, expect, it } from 'vitest'
import {
  createMemoryStore,
  indexPassages,
  type MemoryStore,
  openMemory,
  type Passage,
  passageIndexVersion,
  searchPassages,
} from '../../memory/index.ts'
import type { NamedEmbedder } from '../../models/index.ts'

/** Counts letters: deterministic, and near for texts that share letters. `embedded` tells what was asked for. */
function letterEmbedder(id = 'letters', onEmbed?: (texts: readonly string[]) => void): NamedEmbedder & { readonly embedded: string[] } {
  const embedded: string[] = []
  const embedOne = (text: string): Float32Array => {
    const counts = Float32Array.from({ length: 26 }, (_, letter) => text.toLowerCase().split(String.fromCharCode(97 + letter)).length - 1)
    const norm = Math.hypot(...counts) || 1
    return counts.map((count) => count / norm)
  }
  return {
    id,
    dimensions: 26,
    embedded,
    embed: async (texts) => {
      onEmbed?.(texts)
      embedded.push(...texts)
      return texts.map(embedOne)
    },
    embedDocuments: async (texts) => texts.map((text) => Array.from(embedOne(text))),
    embedQuery: async (text) => Array.from(embedOne(text)),
  }
}

const sentences = ['The whale dived.', 'Nobody spoke.', 'The captain cursed the whale.', 'Then it rained.']

function passagesOf(texts: readonly string[]): Passage[] {
  let end = 0
  return texts.map((text, index) => {
    const start = end
    end += text.length + 1
    return { id: `p${index}`, start, end: start + text.length, index, text, context: 'Moby Dick' }
  })
}

const base = { scope: 'books', documentId: 'moby', passages: passagesOf(sentences), version: '1' }
const stores: [string, () => Promise<MemoryStore>][] = [
  ['in-process', async () => createMemoryStore()],
  ['SQLite', () => openMemory(':memory:')],
]

describe.each(stores)('the passage index over the %s store', (_store, make) => {
  it('indexes once and finds passages with their spans', async () => {
    await using store = await make()
    const embedder = letterEmbedder()
    const progress: [number, number][] = []
    await indexPassages({ ...base, store, embedder, onProgress: (done, total) => progress.push([done, total]) })
    await indexPassages({ ...base, store, embedder })
    expect(progress).toEqual([[4, 4]])
    expect(embedder.embedded).toEqual(sentences)
    expect(await store.isComplete('books', 'moby', passageIndexVersion('1', embedder))).toBe(true)
    const [best] = await searchPassages({
      store,
      scope: 'books',
      question: 'Who cursed?',
      embedder,
      k: 2,
      neighbours: 1,
      documentIds: ['moby'],
    })
    expect(best?.record).toMatchObject({ text: sentences[2], start: 31, end: 60, index: 2, context: 'Moby Dick' })
    expect(best?.similarity).toBeGreaterThan(0)
  })

  it('works by words alone without an embedder', async () => {
    await using store = await make()
    await indexPassages({ ...base, store })
    const hits = await searchPassages({ store, scope: 'books', question: 'whales', k: 5 })
    expect(hits.map((hit) => hit.record.index)).toEqual([0, 2])
    expect(hits.every((hit) => hit.similarity === undefined && hit.record.vector === undefined)).toBe(true)
  })

  it('goes on where an aborted run stopped, without embedding again', async () => {
    await using store = await make()
    const many = passagesOf(Array.from({ length: 150 }, (_text, n) => `Sentence ${n}.`))
    const controller = new AbortController()
    const stopped = letterEmbedder('letters', () => stopped.embedded.length === 64 && controller.abort(new Error('enough')))
    const run = { ...base, passages: many, store }
    await expect(indexPassages({ ...run, embedder: stopped, signal: controller.signal })).rejects.toThrow('enough')
    expect(await store.count('books')).toBe(64)
    const embedder = letterEmbedder()
    const progress: number[] = []
    await indexPassages({ ...run, embedder, onProgress: (done) => progress.push(done) })
    expect(embedder.embedded).toEqual(many.slice(64).map((passage) => passage.text))
    expect(progress).toEqual([128, 150])
    expect((await store.list('books', 'moby')).map((record) => record.text)).toEqual(many.map((passage) => passage.text))
  })

  it('replaces the index of another version and of another embedder', async () => {
    await using store = await make()
    await indexPassages({ ...base, store, embedder: letterEmbedder('old') })
    const embedder = letterEmbedder('new')
    await indexPassages({ ...base, store, embedder })
    expect(embedder.embedded).toEqual(sentences)
    await indexPassages({ ...base, store, embedder, version: '2', passages: passagesOf(sentences.slice(0, 1)) })
    expect((await store.list('books', 'moby')).map((record) => record.text)).toEqual(sentences.slice(0, 1))
  })

  it('does nothing for a document without passages but mark it', async () => {
    await using store = await make()
    await indexPassages({ ...base, passages: [], store, embedder: letterEmbedder() })
    expect(await store.isComplete('books', 'moby', passageIndexVersion('1', letterEmbedder()))).toBe(true)
  })

  it('leaves the document incomplete when the embedder fails', async () => {
    await using store = await make()
    const failing = letterEmbedder('letters', () => {
      throw new Error('no model')
    })
    await expect(indexPassages({ ...base, store, embedder: failing })).rejects.toThrow('no model')
    expect(await store.isComplete('books', 'moby', passageIndexVersion('1', failing))).toBe(false)
  })
})

describe('the passage index and the store’s embedder', () => {
  it.each([
    ['in-process', async () => createMemoryStore({ embedderId: 'letters' })],
    ['SQLite', () => openMemory(':memory:', { embedderId: 'letters' })],
  ])('refuses another embedder by name over the %s store', async (_, make) => {
    await using store: MemoryStore = await make()
    const other = letterEmbedder('numbers')
    await expect(indexPassages({ ...base, store, embedder: other })).rejects.toThrow(/numbers.*letters/)
    await expect(searchPassages({ store, scope: 'books', question: 'whale', embedder: other, k: 1 })).rejects.toMatchObject({
      reason: 'mismatch',
    })
  })
})
