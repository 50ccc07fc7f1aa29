import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDocument } from '../../chunkers/index.ts'
import { DocumentError } from '../../errors/index.ts'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'read-document-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function utf16(text: string, bigEndian = false): Buffer {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

async function* stream(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts
}

async function failure(reading: Promise<unknown>): Promise<DocumentError> {
  const error = await reading.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(DocumentError)
  return error as DocumentError
}

describe('readDocument', () => {
  it.each([
    ['UTF-8', Buffer.from('Wal 🐳 größer\n')],
    ['UTF-8 with a byte order mark', Buffer.from('\uFEFFWal 🐳 größer\n')],
    ['UTF-16LE with a byte order mark', utf16('Wal 🐳 größer\n')],
    ['UTF-16BE with a byte order mark', utf16('Wal 🐳 größer\n', true)],
  ])('reads %s', async (label, bytes) => {
    const document = await readDocument(file(`${label}.txt`, bytes))
    expect(document.text).toBe('Wal 🐳 größer\n')
    expect(document.name).toBe(`${label}.txt`)
  })

  it('keeps characters whole across slices, also when a stream gives single bytes', async () => {
    const text = `${'é🐳x'.repeat(400_000)}\n`
    expect((await readDocument(file('long.txt', text))).text).toBe(text)
    const bytes = [...Buffer.from('Wal 🐳 größer, with more')].map((byte) => Uint8Array.of(byte))
    const document = await readDocument('-', { stdin: stream(...bytes) })
    expect(document).toMatchObject({ text: 'Wal 🐳 größer, with more', name: 'stdin' })
  })

  it('finds the title and sections of Markdown', async () => {
    const document = await readDocument(file('a.md', '# The Title\n\nText.\n\n## Part\n\nMore.\n'))
    expect(document.title).toBe('The Title')
    expect(document.sections.map(({ title }) => title)).toEqual(['The Title', 'Part'])
  })

  it.each([
    ['MOBY-DICK; or, THE WHALE.\n\nBy Herman Melville\n\nCHAPTER 1. Loomings.\n\nCall me Ishmael.', 'MOBY-DICK; or, THE WHALE'],
    ['The Project Gutenberg eBook\n\nTitle: Moby Dick; Or, The Whale\n\nAuthor: Herman Melville\n', 'Moby Dick; Or, The Whale'],
    ['It was a cold day.\n\nThe end.', undefined],
    ['CHAPTER 1. Loomings.\n\nCall me Ishmael.', undefined],
  ])('finds the title of %j', async (text, title) => {
    expect((await readDocument(file('title.txt', text))).title).toBe(title)
  })

  it.each([
    ['empty', '', 'empty', 'it is empty'],
    ['white space', ' \n\t\r\n', 'empty', 'nothing but white space'],
    ['a byte order mark alone', '\uFEFF', 'empty', 'it is empty'],
    ['a NUL', 'text\0text', 'binary', 'NUL at byte 4'],
    ['a PDF that is cut short', '%PDF-1.7 and more of it', 'damaged', 'cut short'],
    ['a ZIP archive that is cut short', Buffer.from('504b030414000600', 'hex'), 'damaged', 'archive is damaged'],
    ['invalid UTF-8', Buffer.from([0x61, 0xef, 0xbf, 0xbd, 0xe9, 0x62]), 'encoding', 'at byte 4'],
    ['invalid UTF-8 after a mark', Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]), 'encoding', 'at byte 4'],
    [
      'invalid UTF-8 in the second slice',
      Buffer.concat([Buffer.alloc(2 ** 20 + 7, 'a'), Buffer.from([0xc3, 0x28])]),
      'encoding',
      `at byte ${2 ** 20 + 7}`,
    ],
    ['UTF-8 cut in a character', Buffer.from([0x61, 0xf0, 0x9f]), 'encoding', 'at byte 1'],
    ['UTF-16 of odd length', Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x62]), 'encoding', 'at byte 4'],
    ['UTF-16 with a lone surrogate', utf16('ab\uD83Dc'), 'encoding', 'U+D83D at offset 2'],
  ])('refuses %s', async (label, content, reason, message) => {
    const error = await failure(readDocument(file(`bad ${label}`, content)))
    expect(error.reason).toBe(reason)
    expect(error.message).toContain(message)
    expect(error.message).toContain(`bad ${label}`)
  })

  it('refuses a missing file, a path through a file, and a directory', async () => {
    expect(await failure(readDocument(join(folder, 'none')))).toMatchObject({ reason: 'not-found' })
    expect(await failure(readDocument(join(file('f', 'x'), 'none')))).toMatchObject({ reason: 'not-found' })
    expect(await failure(readDocument(folder))).toMatchObject({ reason: 'not-a-file', source: folder })
  })

  it.skipIf(process.getuid?.() === 0)('refuses a file without permission', async () => {
    const path = file('secret', 'text')
    chmodSync(path, 0)
    expect(await failure(readDocument(path))).toMatchObject({ reason: 'unreadable' })
  })

  it('refuses what is above the limit, with size and limit, in a file and in a stream', async () => {
    const error = await failure(readDocument(file('big', 'x'.repeat(101)), { maxBytes: 100 }))
    expect(error.reason).toBe('too-large')
    expect(error.message).toContain('limit of 100 bytes: 101 bytes')
    expect(await failure(readDocument('-', { maxBytes: 3, stdin: stream('ab', 'cd') }))).toMatchObject({ reason: 'too-large' })
    expect((await readDocument(file('just', 'x'.repeat(100)), { maxBytes: 100 })).text).toHaveLength(100)
  })

  it('rejects with the reason of the signal, before and while it waits', async () => {
    const reason = new Error('enough')
    await expect(readDocument(file('a', 'text'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const endless = async function* (): AsyncGenerator<string> {
      yield 'text'
      controller.abort(reason)
      await new Promise(() => {})
    }
    await expect(readDocument('-', { stdin: endless(), signal: controller.signal })).rejects.toBe(reason)
  })
})
