import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFiles, readDocument, readDocuments, readEach } from '../../../chunkers/index.ts'
import { openSource } from '../../../workflows/index.ts'
import { lines, makePdf } from '../../../bench/samples/make-pdf.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'corpus-'))
  mkdirSync(join(folder, 'notes', 'node_modules'), { recursive: true })
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'b.md'), '# B\n\nText.\n')
  writeFileSync(join(folder, 'notes', 'a.txt'), 'Text of a.')
  writeFileSync(join(folder, 'notes', 'a [1].txt'), 'Text of a name like a pattern.')
  writeFileSync(join(folder, 'notes', 'cut.pdf'), '%PDF-1.4 and no more')
  writeFileSync(join(folder, 'notes', 'node_modules', 'x.txt'), 'left out')
  writeFileSync(join(folder, '.hidden'), 'left out')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('findFiles()', () => {
  it('finds the files of a folder in order, without what is hidden or installed', async () => {
    expect((await findFiles([folder])).map(({ name }) => name)).toEqual(['b.md', 'notes/a [1].txt', 'notes/a.txt', 'notes/cut.pdf'])
  })

  it('finds what a pattern names, each file once, and takes a path that exists as it is', async () => {
    const odd = join(folder, 'notes', 'a [1].txt')
    const found = await findFiles([odd, `${folder}/**/*.{md,txt}`, join(folder, 'b.md'), '-'])
    expect(found.map(({ path }) => path)).toEqual([odd, join(folder, 'b.md'), join(folder, 'notes', 'a.txt'), '-'])
  })

  it.skipIf(process.platform === 'win32')('leaves out pipes, which may never end, and links, which may lead anywhere', async () => {
    const odd = mkdtempSync(join(tmpdir(), 'odd-'))
    writeFileSync(join(odd, 'a.txt'), 'Text.')
    execFileSync('mkfifo', [join(odd, 'pipe.txt')])
    symlinkSync(folder, join(odd, 'folder'))
    symlinkSync(join(folder, 'b.md'), join(odd, 'link.md'))
    expect((await findFiles([odd])).map(({ name }) => name)).toEqual(['a.txt'])
    rmSync(odd, { recursive: true })
  })

  it('refuses a folder and a pattern without files', async () => {
    await expect(findFiles([join(folder, 'empty')])).rejects.toMatchObject({
      reason: 'empty',
      message: expect.stringContaining('it is a directory without files'),
    })
    await expect(findFiles([`${folder}/*.docx`])).rejects.toMatchObject({
      reason: 'empty',
      message: expect.stringContaining('no file matches it'),
    })
  })
})

describe('readDocuments()', () => {
  it('reads what can be read and names the rest', async () => {
    const { documents, failures } = await readDocuments(folder)
    expect(documents.map(({ name }) => name)).toEqual(['b.md', 'notes/a [1].txt', 'notes/a.txt'])
    expect(failures).toMatchObject([{ path: join(folder, 'notes', 'cut.pdf'), error: { reason: 'damaged' } }])
  })

  it('finishes a thousand files of which one is bad', async () => {
    const many = mkdtempSync(join(tmpdir(), 'many-'))
    const bad = join(many, 'file-617.txt')
    for (let at = 0; at < 1000; at++) writeFileSync(join(many, `file-${at}.txt`), `This is file ${at}.`)
    writeFileSync(bad, makePdf([{ texts: lines(['cut short']) }]).subarray(0, 300))
    const paths: string[] = []
    for await (const result of readEach(many)) if ('error' in result) paths.push(result.path)
    expect(paths).toEqual([bad])
    const { documents } = await readDocuments(many)
    expect(documents).toHaveLength(999)
    rmSync(many, { recursive: true })
  })

  it('stops where the signal says so', async () => {
    const reason = new Error('enough')
    await expect(readDocuments(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('openSource()', () => {
  it('opens a folder and notes what could not be read', async () => {
    const { documents, notes } = await openSource(folder)
    expect(documents).toHaveLength(3)
    expect(notes).toEqual([expect.stringMatching(/cut\.pdf as it ends without its end mark/)])
  })

  it('refuses a file that is named itself', async () => {
    await expect(openSource([join(folder, 'b.md'), join(folder, 'notes', 'cut.pdf')])).rejects.toMatchObject({ reason: 'damaged' })
    await expect(openSource(`${folder}/**/*.pdf`)).rejects.toMatchObject({ reason: 'damaged' })
  })
})

describe('an address of the web', () => {
  const serve = (answers: Readonly<Record<string, () => Response>>): typeof globalThis.fetch =>
    ((input: URL | string) => Promise.resolve(answers[String(input)]?.() ?? new Response('', { status: 404 }))) as typeof globalThis.fetch
  const fetch: typeof globalThis.fetch = serve({
    'https://a.example/notes.md': () => new Response('# Notes\n\nText.\n'),
    'https://a.example/moved': () => new Response('', { status: 302, headers: { location: 'http://inner.example/secret' } }),
    'https://a.example/loop': () => new Response('', { status: 302, headers: { location: '/loop' } }),
    'http://inner.example/secret': () => new Response('secret'),
  })

  it('is not fetched unless it is allowed', async () => {
    await expect(readDocument('https://a.example/notes.md', { fetch })).rejects.toMatchObject({
      reason: 'unsupported',
      message:
        'Cannot read https://a.example/notes.md as addresses of the web are not fetched unless they are allowed: https://a.example/notes.md: set allowUrls',
    })
  })

  it('is read where it is allowed', async () => {
    expect(await readDocument('https://a.example/notes.md', { fetch, allowUrls: true })).toMatchObject({
      name: 'notes.md',
      format: 'markdown',
      title: 'Notes',
    })
  })

  it('is asked for again when it leads elsewhere', async () => {
    const allowUrls = ({ hostname }: URL): boolean => hostname === 'a.example'
    await expect(readDocument('https://a.example/moved', { fetch, allowUrls })).rejects.toMatchObject({ reason: 'unsupported' })
    expect((await readDocument('https://a.example/moved', { fetch, allowUrls: true })).text).toBe('secret')
  })

  it('that is not there, leads nowhere or is too large is refused', async () => {
    const options = { fetch, allowUrls: true }
    await expect(readDocument('https://a.example/none', options)).rejects.toMatchObject({ reason: 'not-found' })
    await expect(readDocument('https://a.example/loop', options)).rejects.toMatchObject({ reason: 'unreadable' })
    await expect(readDocument('https://a.example/notes.md', { ...options, maxBytes: 3 })).rejects.toMatchObject({ reason: 'too-large' })
  })
})
