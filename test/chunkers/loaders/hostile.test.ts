import { deflateSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { archive, makeDocx, makeEpub, makePptx, paragraph } from '../../../bench/samples/make-office.ts'
import { lines, makePdf, withContent } from '../../../bench/samples/make-pdf.ts'
import { runLoader } from '../../../chunkers/loaders/run-loader.ts'
import { read, refusal } from './read.ts'

const article = 'Call me Ishmael, and let me tell of the voyage of the Pequod, her captain and the whale. '.repeat(20)

describe('archives that are made to be too much', () => {
  const zeros = new Uint8Array(4_000_000)

  it.each([
    ['docx', { 'word/document.xml': zeros }],
    ['pptx', { 'ppt/presentation.xml': '<x/>', 'ppt/slides/slide1.xml': zeros }],
    ['xlsx', { 'xl/workbook.xml': '<x/>', 'xl/worksheets/sheet1.xml': zeros }],
  ])('are refused by the sizes they state: %s', async (name, files) => {
    const error = await refusal(archive(files), `bomb.${name}`, { maxBytes: 1_000_000 })
    expect(error.reason).toBe('too-large')
    expect(error.message).toMatch(/bomb\.\w+ as its parts inflate to 40000\d\d bytes, above the limit of 1000000/)
  })

  it('are not inflated beyond the size that they state', async () => {
    // Written as 4 MB, stated as 1,000 bytes in the directory and before the file.
    const bomb = archive({ 'word/document.xml': zeros })
    const size = Buffer.alloc(4)
    size.writeUInt32LE(zeros.length)
    for (let at = bomb.indexOf(size); at >= 0; at = bomb.indexOf(size, at + 4)) bomb.writeUInt32LE(1_000, at)
    expect(await refusal(bomb, 'liar.docx', { maxBytes: 1_000_000 })).toMatchObject({ reason: 'damaged' })
  })

  it('of an archive in an archive are not opened', async () => {
    const inner = archive({ 'word/document.xml': zeros })
    expect(await refusal(archive({ 'inner.zip': inner }), 'nested.zip')).toMatchObject({ reason: 'unsupported' })
  })

  it('are refused when encrypted', async () => {
    const locked = archive({ 'word/document.xml': 'x' })
    locked[6]! |= 1
    expect(await refusal(locked, 'locked.docx')).toMatchObject({ reason: 'encrypted' })
  })
})

describe('markup that is made to be too much', () => {
  it('that nests without end is refused', async () => {
    const html = `<html><body>${'<div>'.repeat(20_000)}text${'</div>'.repeat(20_000)}</body></html>`
    expect(await refusal(html, 'deep.html')).toMatchObject({ reason: 'too-large' })
    const slide = `<x>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</x>`
    expect(await refusal(archive({ 'ppt/presentation.xml': slide }), 'deep.pptx')).toMatchObject({ reason: 'too-large' })
    const text = `${'<w:sdt><w:sdtContent>'.repeat(20_000)}${'</w:sdtContent></w:sdt>'.repeat(20_000)}`
    expect(['too-large', 'damaged']).toContain((await refusal(makeDocx(text), 'deep.docx')).reason)
  })

  it('that defines entities of entities is refused, not expanded', async () => {
    const entities = Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`).join('')
    const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">${entities}]><x>&e20;</x>`
    expect(await refusal(archive({ 'ppt/presentation.xml': bomb }), 'laughs.pptx')).toMatchObject({ reason: 'damaged' })
  })

  it('with quotes in quotes keeps its text and has no marks', async () => {
    const document = await read(`${'>'.repeat(20_000)} deep`, 'deep.md')
    expect(document.marks).toEqual([])
  })

  it('in long lines takes no longer than its length', async () => {
    const document = await read(`# ${'*a'.repeat(2_000_000)}`, 'long.md')
    expect(document.marks).toEqual([])
    expect((await read('['.repeat(2_000_000), 'open.json')).format).toBe('text')
  })
})

describe('damage', () => {
  it.each([
    ['docx', makeDocx(paragraph(article))],
    ['pptx', makePptx([{ title: 'A', body: [article] }])],
    ['epub', makeEpub({ 'a.xhtml': `<p>${article}</p>` })],
  ])('of a %s that is cut short is named', async (extension, bytes) => {
    const error = await refusal(bytes.subarray(0, bytes.length - 100), `cut.${extension}`)
    expect(error).toMatchObject({ reason: 'damaged', source: `cut.${extension}` })
  })

  it('of any byte of a file ends in a document or in a typed error', async () => {
    const files: [string, Buffer][] = [
      ['a.docx', makeDocx(paragraph(article))],
      ['a.pptx', makePptx([{ title: 'A', body: [article] }])],
      ['a.epub', makeEpub({ 'a.xhtml': `<p>${article}</p>` })],
      ['a.pdf', makePdf([{ texts: lines([article.slice(0, 80)]) }])],
    ]
    for (const [name, bytes] of files) {
      for (let turn = 0; turn < 12; turn++) {
        const broken = Buffer.from(bytes)
        // Places spread by a fixed step that shares no factor with the lengths.
        for (let at = (turn * 7919) % bytes.length, n = 0; n < 5; n++, at = (at + 104_729) % bytes.length) broken[at]! ^= 0xff
        const outcome = await read(broken, name).then(
          ({ text }) => text.length > 0,
          (error: Error) => error.name,
        )
        expect([true, 'DocumentError']).toContain(outcome)
      }
    }
  })
})

describe('bounds of memory', () => {
  it('end the reading of a file that fills more buffers than it may', async () => {
    // So that the thread runs and has its parser.
    await read(makePdf([{ texts: lines(['Read within bounds.']) }]), 'small.pdf')
    // What a page draws, twice deflated: 200 MB of blanks in a kilobyte.
    const blanks = deflateSync(deflateSync(Buffer.alloc(200_000_000, ' ')))
    const bomb = withContent(blanks.toString('latin1'), '/Filter[/FlateDecode/FlateDecode]')
    const limits = { source: 'bomb.pdf', maxBytes: 1e9, timeout: 600_000 }
    await expect(runLoader('pdf', bomb, { ...limits, maxGrowth: 2 ** 26 })).rejects.toMatchObject({
      name: 'DocumentError',
      reason: 'too-large',
      message: 'Cannot read bomb.pdf as reading it takes more memory than the limit of 64 MiB. Part it',
    })
  })
})

describe('bounds of time', () => {
  afterEach(() => void vi.useRealTimers())

  it('end the reading of a file that takes too long, and the next file is read', async () => {
    const slow = makePdf(Array.from({ length: 400 }, () => ({ texts: lines([article.slice(0, 80)]) })))
    const error = await refusal(slow, 'slow.pdf', { timeout: 1 })
    expect(error).toMatchObject({
      reason: 'too-slow',
      message: 'Cannot read slow.pdf as it takes longer than the limit of 0.001 s. Part it, or raise timeout',
    })
    expect((await read(makePdf([{ texts: lines(['Read in time.']) }]), 'next.pdf')).text).toBe('Read in time.')
  })

  it('hold when the OCR hook never answers and the caller has had enough', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const ocr = (): Promise<string> => (controller.abort(reason), new Promise(() => {}))
    await expect(read(makePdf([{ picture: true }]), 'scan.pdf', { ocr, signal: controller.signal })).rejects.toBe(reason)
  })

  it('are the signal, too', async () => {
    const controller = new AbortController()
    const reading = read(makePdf([{ texts: lines([article.slice(0, 80)]) }]), 'a.pdf', { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })

  it('do not count what the OCR hook takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const ocr = (): Promise<string> => {
      vi.advanceTimersByTime(600_000)
      return Promise.resolve('slowly read')
    }
    const scan = makePdf([{ picture: true }])
    expect((await read(scan, 'scan.pdf', { ocr, timeout: 60_000 })).text).toBe('slowly read')
  })
})
