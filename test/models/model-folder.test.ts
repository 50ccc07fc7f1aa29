import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGgufTokenizer, readGguf } from '../../attention/index.ts'
import { ModelFileError } from '../../errors/index.ts'
import { openLocalModel } from '../../models/index.ts'
import { openModelSource } from '../../models/model-source.ts'
import { tokenSpans } from '../../models/token-spans.ts'
import { TokenText } from '../../models/token-text.ts'
import { tinyMetadata, writeTinyModel } from '../attention/tiny-model.ts'
import { folderConfig, folderTensors, folderTokenizer, jsonBytes, writeSafetensors } from '../attention/write-folder.ts'
import { memorySource } from '../attention/write-gguf.ts'

describe('a model in a folder of safetensors', () => {
  let place: string
  let folder: string

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'folder-'))
    folder = join(place, 'tiny')
    await mkdir(folder)
    const bytes = writeTinyModel()
    await writeFile(join(place, 'tiny.gguf'), bytes)
    await writeFile(join(folder, 'config.json'), jsonBytes(folderConfig()))
    await writeFile(join(folder, 'tokenizer.json'), jsonBytes(folderTokenizer(tinyMetadata()['tokenizer.ggml.tokens'] as string[])))
    await writeFile(join(folder, 'model.safetensors'), writeSafetensors(await folderTensors(await readGguf(memorySource(bytes)))))
  })

  afterAll(() => rm(place, { recursive: true }))

  it('opens by its path and finds texts as likely as the same model in one file does', async () => {
    const queries = [
      { prefix: 'a(b', text: 'cd' },
      { prefix: 'x', text: 'yz!' },
    ]
    await using one = await openLocalModel(folder)
    await using other = await openLocalModel(join(place, 'tiny.gguf'))
    expect(await one.logProbs(queries)).toEqual(await other.logProbs(queries))
    expect(one.window).toBe(2048)
  })

  it('says what is missing', async () => {
    const empty = join(place, 'empty')
    await mkdir(empty)
    await expect(openLocalModel(empty)).rejects.toThrow(ModelFileError)
    await expect(openLocalModel(empty)).rejects.toThrow(/empty as it has no config\.json/)
    await expect(openModelSource(join(place, 'nothing'))).rejects.toThrow(/does not exist/)
  })
})

describe('a vocabulary that puts a space before a text', () => {
  const tokens = ['<unk>', '\u2581', '\u2581a', 'b', '\u2581b']
  const metadata = { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.scores': [0, -9, -1, -2, -3] }
  const tokenizer = createGgufTokenizer(
    new Map<string, unknown>(Object.entries({ ...metadata, 'tokenizer.ggml.token_type': [2, 1, 1, 1, 1] })),
  )

  it('has a reply keep a space that is a token of its own', () => {
    const text = new TokenText(tokenizer)
    expect([3, 1, 1, 3, 4].map((id) => text.push(id)).join('') + text.end()).toBe('b  b b')
    expect(text.push(0)).toBe('')
  })

  it('leaves that space out of the places of tokens', () => {
    expect(tokenSpans(tokenizer, 'ab b')).toEqual({ ids: [2, 3, 4], offsets: Int32Array.of(0, 1, 2, 4) })
    expect(tokenSpans(tokenizer, ' a')).toEqual({ ids: [1, 2], offsets: Int32Array.of(0, 0, 2) })
  })
})
