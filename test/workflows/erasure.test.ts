import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStore, type Erasable, loadSqlite, type MemoryRecord, type MemoryStore, openMemory } from '../../memory/index.ts'
import { journalRun, journalStep } from '../../testing/journal-suite.ts'
import { createByteScan } from '../../workflows/byte-scan.ts'
import { createMemoryJournal, erasure, type ErasureReceipt, type Journal, sqliteJournal } from '../../workflows/index.ts'

const dimensions = 16
const secretText = 'The xylophone lies buried under the third oak, "seven" paces north.\nNobody knows.'
const secretSummary = 'A buried xylophone near the oaks, seven paces north.'
const secretVector = Float32Array.from({ length: dimensions }, (_, index) => Math.fround(Math.sin(index + 0.5)))

let folder: string
let memory: MemoryStore
let journal: Journal

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'erasure-'))
  memory = await openMemory(join(folder, 'memory.db'), { exactBelow: 0 })
  journal = sqliteJournal(join(folder, 'runs.db'))
})

afterEach(async () => {
  await memory.close()
  await journal.close()
  rmSync(folder, { recursive: true })
})

const clock = { now: () => 5_000, createId: () => 'receipt-1' }

function turn(n: number, parts: Partial<MemoryRecord> = {}): MemoryRecord {
  const text = `The whale swam by for the ${n}th time.`
  const vector = Float32Array.from({ length: dimensions }, (_, index) => Math.sin(n * 12.9898 + index * 78.233))
  return { id: `t${n}`, scope: 'ada', documentId: 'chat', kind: 'turn', start: 0, end: text.length, index: n, text, vector, ...parts }
}

/** A chat to keep and one with a secret: its turn, its summary, its vector, a fact drawn from it, and a run that quotes it. */
async function plant(): Promise<void> {
  await memory.put(Array.from({ length: 60 }, (_, n) => turn(n)))
  await memory.put([
    turn(0, { id: 's0', documentId: 'secret', text: secretText, summary: secretSummary, vector: secretVector }),
    turn(1, { id: 'fact', documentId: 'facts', kind: 'fact', text: 'There is a xylophone under an oak somewhere.', sources: ['s0'] }),
    turn(2, { id: 'both', documentId: 'facts', kind: 'fact', text: 'The user likes trees and whales.', sources: ['s0', 't1'] }),
  ])
  await memory.search({ scope: 'ada', text: '', vector: secretVector, k: 1 })
  await journal.putRun(journalRun('kept', { documentIds: ['chat'], question: 'What does the user like to watch?' }))
  await journal.putStep(journalStep('kept', 'a', { documentIds: ['chat'] }))
  await journal.putRun(journalRun('quoting', { documentIds: ['secret'], question: 'Where is the xylophone?' }))
  await journal.putStep(journalStep('quoting', 'a', { documentIds: ['secret'], output: JSON.stringify({ quotes: [secretText] }) }))
}

/** Names of the files that hold the bytes. */
function holding(bytes: string): string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(bytes))
}

const secretBytes = new Uint8Array(secretVector.buffer)

/** Files that hold the vector, be it at unit length. */
async function holdingVector(): Promise<string[]> {
  const scan = createByteScan()
  scan.add(secretBytes)
  const names: string[] = []
  for (const name of readdirSync(folder)) if ((await scan.search([readFileSync(join(folder, name))])).size > 0) names.push(name)
  return names
}

async function erase(holders: readonly Erasable[], documentIds: readonly string[] = ['secret']): Promise<ErasureReceipt> {
  const { preview, confirm } = erasure(holders, clock)
  return confirm((await preview({ scope: 'ada', documentIds })).token)
}

describe('an erasure over SQLite files', () => {
  it('shows what would go and leaves it', async () => {
    await plant()
    const { findings } = await erasure([memory, journal]).preview({ scope: 'ada', documentIds: ['secret'] })
    expect(findings.map(({ holder, counts }) => [holder, counts])).toEqual([
      ['memory', { passages: 0, turns: 1, facts: 1, summaries: 1, vectors: 2 }],
      ['journal', { runs: 1, steps: 1 }],
    ])
    expect(JSON.stringify(findings)).not.toContain('xylophone')
    expect((await memory.get('ada', 's0'))?.text).toBe(secretText)
  })

  it('takes text, summary, vector, fact, run and step out of every file, and proves it', async () => {
    await plant()
    await memory.close()
    memory = await openMemory(join(folder, 'memory.db'), { exactBelow: 0 })
    for (const planted of ['xylophone lies buried', secretSummary]) expect(holding(planted)).not.toEqual([])
    const vectorFiles = await holdingVector()
    expect(vectorFiles).toContain('memory.db')
    expect(vectorFiles.some((name) => /hnsw-\d+$/.test(name))).toBe(true)
    const receipt = await erase([memory, journal])
    expect(receipt).toMatchObject({ id: 'receipt-1', createdAt: 5_000, verified: true, target: { scope: 'ada', documentIds: ['secret'] } })
    expect(receipt.scan).toMatchObject({ found: [] })
    expect(receipt.scan.contents).toBeGreaterThan(6)
    expect(receipt.searches.searches).toBeGreaterThan(2)
    expect(JSON.stringify(receipt)).not.toMatch(/xylophone|whale/)
    await memory.search({ scope: 'ada', text: '', vector: secretVector, k: 1 })
    await memory.close()
    await journal.close()
    for (const planted of ['xylophon', 'seven']) expect(holding(planted)).toEqual([])
    expect(await holdingVector()).toEqual([])
    expect(holding('The whale swam')).toEqual(['memory.db'])
  })

  it('keeps what has another source, and the rest of the scope', async () => {
    await plant()
    await erase([memory, journal])
    expect(await memory.get('ada', 'fact')).toBe(undefined)
    expect((await memory.get('ada', 'both'))?.text).toBe('The user likes trees and whales.')
    expect(await memory.count('ada')).toBe(61)
    expect((await journal.listRuns()).map(({ id }) => id)).toEqual(['kept'])
  })

  it('does not blame a text that stands in what was kept', async () => {
    await plant()
    const common = turn(3).text
    await memory.put([turn(9, { id: 's1', documentId: 'secret', text: common, index: 1 })])
    expect((await erase([memory, journal])).verified).toBe(true)
    expect(holding(common)).not.toEqual([])
  })

  it('finds what a holder that was not asked keeps, and a file that was left behind', async () => {
    await plant()
    const leftover = join(folder, 'copy.txt')
    writeFileSync(leftover, `${'.'.repeat(5_000_000)}${JSON.stringify(JSON.stringify(secretText))}`)
    const careless: Erasable = {
      findErasable: async () => ({ holder: 'copies', counts: { files: 0 }, hash: '' }),
      erase: async () => ({ holder: 'copies', counts: { files: 0 }, hash: '' }),
      async *erasableContent() {},
      erasableFiles: () => [leftover, ...journal.erasableFiles(), join(folder, 'nowhere')],
    }
    const receipt = await erase([memory, careless])
    expect(receipt.verified).toBe(false)
    const found = new Set(receipt.scan.found.map(({ file }) => file))
    expect(found.has(leftover)).toBe(true)
    expect(Array.from(found).some((file) => file.startsWith(join(folder, 'runs.db')))).toBe(true)
    expect(receipt.scan.found.every(({ hash }) => /^[0-9a-f]{64}$/.test(hash))).toBe(true)
  })

  it('does a second time without harm', async () => {
    await plant()
    await erase([memory, journal])
    const again = await erase([memory, journal])
    expect(again.verified).toBe(true)
    expect(again.erased.flatMap(({ counts }) => Object.values(counts)).every((count) => count === 0)).toBe(true)
  })

  it('erases a scope whole, its name included', async () => {
    await plant()
    await memory.put([turn(0, { scope: 'grace-hopper-42' })])
    await journal.putRun(journalRun('hers', { scope: 'grace-hopper-42' }))
    const { preview, confirm } = erasure([memory, journal], clock)
    const receipt = await confirm((await preview({ scope: 'grace-hopper-42' })).token)
    expect(receipt.verified).toBe(true)
    expect(await memory.count('ada')).toBe(63)
    await memory.close()
    await journal.close()
    expect(holding('grace-hopper-42')).toEqual([])
  })

  it('erases single records', async () => {
    await plant()
    const { preview, confirm } = erasure([memory], clock)
    const { findings, token } = await preview({ scope: 'ada', ids: ['t5', 'absent'] })
    expect(findings[0]?.counts).toMatchObject({ turns: 1, facts: 0 })
    expect((await confirm(token)).verified).toBe(true)
    expect(await memory.get('ada', 't5')).toBe(undefined)
    expect(await memory.count('ada')).toBe(62)
  })

  it('refuses the token of a preview that no longer holds, and changes nothing', async () => {
    await plant()
    const { preview, confirm } = erasure([memory, journal], clock)
    const { token } = await preview({ scope: 'ada', documentIds: ['secret'] })
    await memory.append('ada', 'secret', [{ id: 'later', text: 'One more thing.' }])
    await expect(confirm(token)).rejects.toMatchObject({ name: 'StoreError', reason: 'conflict' })
    expect((await memory.get('ada', 's0'))?.text).toBe(secretText)
    expect((await confirm((await preview({ scope: 'ada', documentIds: ['secret'] })).token)).verified).toBe(true)
  })

  it.each(['', 'nonsense', 'eyJhIjoxfQ.00', `${Buffer.from('{"scope":1}').toString('base64url')}.00`])(
    'refuses %j as a token',
    async (token) => {
      await expect(erasure([memory]).confirm(token)).rejects.toThrow(/not the token of a preview/)
    },
  )

  it('says so when another process keeps erased text in the log, and clears it the next time', async () => {
    await plant()
    await memory.close()
    memory = await openMemory(join(folder, 'memory.db'), { busyTimeout: 0 })
    const Database = await loadSqlite('read in a test')
    const reader = new Database(join(folder, 'memory.db'))
    reader.exec('BEGIN; SELECT * FROM records')
    const { preview, confirm } = erasure([memory], clock)
    const { token } = await preview({ scope: 'ada', documentIds: ['secret'] })
    await expect(confirm(token)).rejects.toMatchObject({ name: 'StoreError', reason: 'busy' })
    reader.exec('COMMIT')
    reader.close()
    expect((await erase([memory])).verified).toBe(true)
    await memory.close()
    expect(holding('xylophon').filter((name) => name.startsWith('memory'))).toEqual([])
  })
})

describe('an erasure in memory', () => {
  it('needs no files', async () => {
    const [store, log] = [createMemoryStore(), createMemoryJournal()]
    await store.put([turn(0), turn(0, { id: 's0', documentId: 'secret', text: secretText })])
    await log.putRun(journalRun('quoting', { documentIds: ['secret'] }))
    const receipt = await erase([store, log])
    expect(receipt).toMatchObject({ verified: true, scan: { files: 0, bytes: 0 } })
    expect(receipt.erased.map(({ counts }) => counts)).toMatchObject([{ turns: 1 }, { runs: 1 }])
    expect(await store.count('ada')).toBe(1)
  })
})
