import { stat } from 'node:fs/promises'
import { modelFile, models, verifyModel } from 'scriptorium-weights'
import { describe, expect, it } from 'vitest'

describe('scriptorium-weights', () => {
  it('names a source and a licence for each model', () => {
    expect(Object.entries(models).map(([name, { source, licence }]) => [name, source, licence])).toEqual([
      ['smollm2-135m-instruct', 'HuggingFaceTB/SmolLM2-135M-Instruct', 'Apache-2.0'],
      ['all-minilm-l6-v2', 'sentence-transformers/all-MiniLM-L6-v2', 'Apache-2.0'],
    ])
  })

  it('finds every file of the manifest, with its size', async () => {
    for (const [name, { files }] of Object.entries(models)) {
      for (const [file, { size }] of Object.entries(files)) expect((await stat(await modelFile(name, file))).size).toBe(size)
    }
  })

  it.each(Object.keys(models))('holds the bytes of %s that the manifest promises', async (name) => {
    await expect(verifyModel(name)).resolves.toBeUndefined()
  })

  it('names what it holds when asked for an unknown model or file', async () => {
    await expect(modelFile('gpt-9', 'model.gguf')).rejects.toThrow(/none of that name: gpt-9. It holds: smollm2-135m-instruct, /)
    await expect(modelFile('all-minilm-l6-v2', '../secret')).rejects.toThrow(/none of that name: \.\.\/secret/)
    await expect(verifyModel('constructor')).rejects.toThrow(RangeError)
  })

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough')
    await expect(verifyModel('all-minilm-l6-v2', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
