import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type MemoryRecord, openMemory } from '../../memory/index.ts'
import { journalRun, journalStep } from '../../testing/journal-suite.ts'
import { type ErasureReceipt, sqliteJournal } from '../../workflows/index.ts'
import { cli, expectError, file, place, useCommand } from './command.ts'

const secret = 'The xylophone lies buried under the third oak.'

function record(id: string, parts: Partial<MemoryRecord> = {}): MemoryRecord {
  const { text = `The whale swam past ship ${id}.` } = parts
  return { id, scope: 'default', documentId: 'chat', kind: 'turn', start: 0, end: text.length, index: 0, text, ...parts }
}

/** A store of two conversations and a run over one of them. */
async function plant(path = join(place.folder, 'memory.db')): Promise<string> {
  await using store = await openMemory(path)
  await store.put([
    record('a', { vector: Float32Array.of(0.6, 0.8), summary: 'A whale.', metadata: { mood: 'calm' } }),
    record('b', { index: 1, text: 'lone \ud800 and \0' }),
    record('s', { documentId: 'secret', text: secret }),
    record('c', { scope: 'other' }),
  ])
  return path
}

async function plantRuns(): Promise<void> {
  await using journal = sqliteJournal(join(place.store, 'runs.db'))
  await journal.putRun(journalRun('r1', { scope: 'default', documentIds: ['secret'] }))
  await journal.putStep(journalStep('r1', 'a', { scope: 'default', documentIds: ['secret'], output: JSON.stringify(secret) }))
}

describe('scriptorium memory', { timeout: 60_000 }, () => {
  useCommand()

  it('shows how large a store is', async () => {
    const path = await plant()
    const { code, out } = await cli(['memory', 'stats', path])
    expect(code).toBe(0)
    expect(out).toMatch(/Scopes +2\nRecords +4 turns, 0 facts, 0 passages\nDerived +1 vector, 1 summaries/)
    expect(JSON.parse((await cli(['memory', 'stats', path, '--json'])).out)).toMatchObject({ scopes: 2, records: { turn: 4 }, vectors: 1 })
  })

  it('looks at the indexes of its own store when no file is named', async () => {
    expectError(await cli(['memory', 'stats']), /no such file: .*indexes\.db/)
    mkdirSync(place.store)
    await plant(join(place.store, 'indexes.db'))
    expect((await cli(['memory', 'stats'])).out).toMatch(/4 turns/)
  })

  it('finds nothing wrong, compacts and rebuilds', async () => {
    const path = await plant()
    expect(await cli(['memory', 'check', path])).toMatchObject({ code: 0, out: 'Nothing is wrong\n' })
    expect((await cli(['memory', 'compact', path])).err).toMatch(/^Compacted from [\d,]+ to [\d,]+ bytes\n$/)
    expect((await cli(['memory', 'rebuild', path])).code).toBe(0)
    await using store = await openMemory(path)
    expect((await store.search({ scope: 'default', text: 'xylophones', k: 5 })).map((hit) => hit.record.id)).toEqual(['s'])
  })

  it('copies a store and puts the copy back, but not over a store without being told', async () => {
    const path = await plant()
    const copy = join(place.folder, 'copy.db')
    expect(await cli(['memory', 'backup', copy, path])).toMatchObject({ code: 0, err: `Wrote ${copy}\n` })
    {
      await using store = await openMemory(path)
      await store.deleteDocument('default', 'chat')
    }
    const refused = await cli(['memory', 'restore', copy, path])
    expect(refused.code).toBe(2)
    expectError(refused, /there is a store already: .*memory\.db\. Add --force/)
    expect((await cli(['memory', 'restore', copy, path, '--force'])).code).toBe(0)
    await using store = await openMemory(path)
    expect(await store.count('default')).toBe(3)
    expect(readdirSync(place.folder).filter((name) => name.includes('restoring'))).toEqual([])
  })

  it('leaves a store as it was when the copy is none', async () => {
    const path = await plant()
    const outcome = await cli(['memory', 'restore', file('notes.txt', 'no database, these are notes. '.repeat(40)), path, '--force'])
    expect(outcome.code).toBe(7)
    expectError(outcome, /file is not a database/)
    await using store = await openMemory(path)
    expect(await store.count('default')).toBe(3)
    expect(readdirSync(place.folder).filter((name) => name.includes('restoring'))).toEqual([])
  })

  it('moves records from one store to another', async () => {
    const path = await plant()
    const lines = join(place.folder, 'records.jsonl')
    expect((await cli(['memory', 'export', path, '--out', lines])).code).toBe(0)
    expect((await cli(['memory', 'export', path])).out).toBe(readFileSync(lines, 'utf8'))
    const other = join(place.folder, 'other.db')
    expect(await cli(['memory', 'import', lines, other])).toMatchObject({ code: 0, err: 'Imported 4 records\n' })
    await using first = await openMemory(path)
    await using second = await openMemory(other)
    for (const documentId of ['chat', 'secret'])
      expect(await second.list('default', documentId)).toEqual(await first.list('default', documentId))
    expect(await second.scopes(9)).toEqual(['default', 'other'])
    expect((await cli(['memory', 'export', path, '--scope', 'other', '--no-vectors'])).out.split('\n')).toHaveLength(3)
  })

  it('shows what it would erase, then erases it and proves it', async () => {
    const path = await plant()
    await plantRuns()
    const preview = await cli(['memory', 'erase', path, '--scope', 'default', '--document', 'secret'])
    expect(preview).toMatchObject({ code: 0, out: 'Would erase\n  memory   1 turns\n  journal  1 runs, 1 steps\n  caches   nothing\n' })
    const [, token = ''] = /--confirm (\S+)\n$/.exec(preview.err) ?? []
    await using store = await openMemory(path)
    expect((await store.get('default', 's'))?.text).toBe(secret)
    const outcome = await cli(['memory', 'erase', path, '--confirm', token, '--json'])
    expect([outcome.code, outcome.err]).toEqual([0, ''])
    expect(JSON.parse(outcome.out) as ErasureReceipt).toMatchObject({
      verified: true,
      target: { scope: 'default', documentIds: ['secret'] },
    })
    expect(outcome.out).not.toContain('xylophone')
    for (const folder of [place.folder, place.store]) {
      for (const name of readdirSync(folder))
        if (/\.db/.test(name)) expect(readFileSync(join(folder, name)).includes('xylophon')).toBe(false)
    }
    expect(await cli(['memory', 'erase', path, '--scope', 'default', '--document', 'secret'])).toMatchObject({
      code: 0,
      err: 'There is nothing to erase\n',
    })
  })

  it('does not erase what was never shown', async () => {
    const path = await plant()
    const { out } = await cli(['memory', 'erase', path, '--scope', 'default', '--id', 'a', '--json'])
    const { token } = JSON.parse(out) as { token: string }
    await using store = await openMemory(path)
    await store.put([record('a', { text: 'Changed since.' })])
    const outcome = await cli(['memory', 'erase', path, '--confirm', token])
    expect(outcome.code).toBe(7)
    expectError(outcome, /not what the preview showed/)
  })

  it.each([
    { name: 'an erasure without a scope', args: ['erase', 'MEMORY'], code: 2, message: /no scope is named/ },
    {
      name: 'a token with a target',
      args: ['erase', 'MEMORY', '--confirm', 'x', '--scope', 'default'],
      code: 2,
      message: /Leave them out/,
    },
    { name: 'a token that is none', args: ['erase', 'MEMORY', '--confirm', 'x'], code: 2, message: /not the token of a preview/ },
    { name: 'a store that is missing', args: ['stats', '/nowhere/memory.db'], code: 7, message: /no such file: \/nowhere/ },
    { name: 'a file that is no store', args: ['stats', 'BOOK'], code: 7, message: /whale\.txt/ },
    { name: 'lines that are missing', args: ['import', '/nowhere/lines', 'MEMORY'], code: 7, message: /no such file: \/nowhere\/lines/ },
    { name: 'lines that are no export', args: ['import', 'BOOK', 'MEMORY'], code: 7, message: /line 1 is no JSON object/ },
    { name: 'upkeep of a server', args: ['stats', 'postgres://127.0.0.1/none'], code: 2, message: /its server looks after it/ },
  ])('refuses $name', async ({ args, code, message }) => {
    const path = await plant()
    const outcome = await cli(['memory', ...args.map((arg) => ({ MEMORY: path, BOOK: place.book })[arg] ?? arg)])
    expect(outcome.code).toBe(code)
    expectError(outcome, message)
  })
})
