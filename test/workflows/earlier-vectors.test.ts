import { describe, expect, it } from 'vitest'
import { createDocument, type Document } from '../../chunkers/index.ts'
import { createMemoryStore, type MemoryStore, openMemory } from '../../memory/index.ts'
import { scriptedEmbedder, scriptedModel } from '../../testing/index.ts'
import { ask, retrieve } from '../../workflows/index.ts'

const question = 'Where did the captain bury the gold?'
const lines = Array.from({ length: 60 }, (_, day) => `On day ${day} the crew mended sails and saw nothing at all.`)
const document = (text: string, name = 'log.txt'): Document => createDocument({ name, text, sections: [] })
const log = document(lines.join('\n'))
const edited = document(lines.toSpliced(20, 0, 'The captain buried the gold under the old oak by night.').join('\n'))

const stores: [string, () => Promise<MemoryStore>][] = [
  ['in-process', async () => createMemoryStore()],
  ['SQLite', () => openMemory(':memory:')],
]

describe.each(stores)('an edited document over the %s store', (_, make) => {
  const reader = async (memory: MemoryStore) => {
    const embedder = scriptedEmbedder()
    const strategy = retrieve({ model: scriptedModel({ fallback: 'Under the oak.' }), embedder, k: 3 })
    return {
      async embeddedFor(one: Document, scope = 'default'): Promise<number> {
        const before = embedder.embedded
        await ask(one, question, { strategy, memory, scope }).result
        return embedder.embedded - before - 1
      },
    }
  }

  it('embeds only the passages that are new', async () => {
    await using memory = await make()
    const { embeddedFor } = await reader(memory)
    expect(await embeddedFor(log)).toBe(60)
    expect(await embeddedFor(edited)).toBe(1)
    const [, inserted] = [await memory.list('default', log.id), await memory.list('default', edited.id)]
    expect(inserted).toHaveLength(61)
    expect(inserted.every(({ vector }) => vector?.length === 64)).toBe(true)
    const alone = await scriptedEmbedder().embed([inserted[40]!.text])
    expect(inserted[40]?.vector).toEqual(alone[0])
  })

  it('takes nothing from a document of another name, nor from another scope', async () => {
    await using memory = await make()
    const { embeddedFor } = await reader(memory)
    await embeddedFor(log)
    expect(await embeddedFor(document(edited.text, 'log.txt@2'))).toBe(61)
    expect(await embeddedFor(edited, 'somebody else')).toBe(61)
  })
})
