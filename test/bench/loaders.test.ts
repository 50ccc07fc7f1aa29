import { describe, expect, it } from 'vitest'
import { measureLoaders } from '../../bench/loaders.ts'
import { sampleFile, sampleFormats } from '../../bench/samples/sample-files.ts'
import { documentFromBytes } from '../../chunkers/index.ts'

describe('samples', () => {
  it.each(sampleFormats)('of %s are read as their format', async (format) => {
    const { name, bytes } = sampleFile(format, 3_000, 7)
    const document = await documentFromBytes(bytes, { name })
    const kinds: Readonly<Record<string, string>> = { txt: 'text', md: 'markdown', ts: 'code', srt: 'subtitles', mbox: 'mail' }
    expect(document.format).toBe(kinds[format] ?? format)
    expect(document.text.length).toBeGreaterThan(2_000)
  })
})

describe('measureLoaders()', () => {
  it('measures each format, a PDF and a corpus of which one file is bad', async () => {
    const options = { quick: true, signal: new AbortController().signal, seed: 7, log: () => {} }
    const { figures } = await measureLoaders(options, { formats: ['txt'], share: 0.01, runs: 1, pages: 4, files: 15 })
    expect(figures).toMatchObject({ pdfPages: 4, corpusRead: 14, corpusFailed: 1 })
    expect(figures['txtMBps']).toBeGreaterThan(0)
    expect(figures['pdfSeconds']).toBeGreaterThan(0)
  })
})
