import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as weights from 'scriptorium-weights'
import { modelFile, models, verifyModel } from 'scriptorium-weights'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

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

  describe('in a package whose files are not whole', () => {
    let folder: string
    let broken: typeof weights

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'weights-'))
      const files = { whole: entryOf('whole'), short: entryOf('longer'), changed: entryOf('change'), missing: entryOf('x') }
      await writeFile(join(folder, 'models.json'), JSON.stringify({ tiny: { source: '', licence: '', files } }))
      await copyFile(new URL('../../weights/index.js', import.meta.url), join(folder, 'index.mjs'))
      await mkdir(join(folder, 'models/tiny'), { recursive: true })
      for (const [file, text] of Object.entries({ whole: 'whole', short: 'long', changed: 'chance' })) {
        await writeFile(join(folder, 'models/tiny', file), text)
      }
      broken = (await import(pathToFileURL(join(folder, 'index.mjs')).href)) as typeof weights
    })

    afterAll(() => rm(folder, { recursive: true }))

    it('names the file, and what to do', async () => {
      expect(await broken.modelFile('tiny', 'whole')).toBe(join(folder, 'models/tiny/whole'))
      await expect(broken.modelFile('tiny', 'missing')).rejects.toMatchObject({
        code: 'MODEL_FILE_MISSING',
        file: join(folder, 'models/tiny/missing'),
        message: expect.stringContaining('npm install scriptorium-weights'),
      })
      await expect(broken.modelFile('tiny', 'short')).rejects.toMatchObject({
        code: 'MODEL_FILE_DAMAGED',
        message: expect.stringContaining('4 bytes instead of 6'),
      })
    })

    it('finds a change that keeps the size, and tries again after a repair', async () => {
      await writeFile(join(folder, 'models/tiny/short'), 'longer')
      await writeFile(join(folder, 'models/tiny/missing'), 'x')
      await expect(broken.verifyModel('tiny')).rejects.toMatchObject({
        code: 'MODEL_FILE_DAMAGED',
        file: join(folder, 'models/tiny/changed'),
      })
      await writeFile(join(folder, 'models/tiny/changed'), 'change')
      await expect(broken.verifyModel('tiny')).resolves.toBeUndefined()
    })

    function entryOf(text: string): { size: number; sha256: string } {
      return { size: text.length, sha256: createHash('sha256').update(text).digest('hex') }
    }
  })
})
