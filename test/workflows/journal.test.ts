import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { journalRun, journalStep, journalSuite } from '../../testing/journal-suite.ts'
import type { Journal } from '../../workflows/journal.ts'
import { toJournalError } from '../../workflows/journal-error.ts'
import { createMemoryJournal } from '../../workflows/memory-journal.ts'
import { sqliteJournal, type SqliteJournalOptions } from '../../workflows/sqlite-journal.ts'
import { loadSqlite } from '../../memory/index.ts'
import { canMount, mountDisk, unmountDisk } from '../small-disk.ts'

const Database = await loadSqlite('open a database for a test')

const runner = { describe, it, expect }
journalSuite({ name: 'journal in memory', open: createMemoryJournal, runner })
journalSuite({ name: 'journal in SQLite', open: () => sqliteJournal(':memory:'), runner })

let folder: string
let path: string
let journals: Journal[]
let mounts: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
  path = join(folder, 'deep', 'runs.db')
  journals = []
  mounts = []
})

afterEach(async () => {
  for (const journal of journals) await journal.close()
  for (const place of mounts) unmountDisk(place)
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true })
})

function open(options: SqliteJournalOptions = {}, at = path): Journal {
  const journal = sqliteJournal(at, options)
  journals.push(journal)
  return journal
}

function mount(options: string): string {
  const place = mountDisk(folder, options)
  mounts.push(place)
  return place
}

/** Runs a script beside the test in a process of its own; resolves with its signal or exit status once it has ended. */
function inProcess(script: string, onLine?: (line: string, kill: () => void) => void): Promise<NodeJS.Signals | number | null> {
  const source = fileURLToPath(new URL('../../workflows/sqlite-journal.ts', import.meta.url))
  const suite = fileURLToPath(new URL('../../testing/journal-suite.ts', import.meta.url))
  const file = join(folder, `script-${readdirSync(folder).length}.mts`)
  const head = `import { sqliteJournal } from ${JSON.stringify(source)}\nimport { journalRun, journalStep } from ${JSON.stringify(suite)}\nconst path = ${JSON.stringify(path)}\n`
  writeFileSync(file, head + script)
  // `node` itself is the child, so that a kill reaches the process that writes.
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) onLine?.(line, () => child.kill('SIGKILL'))
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
}

describe('the journal in SQLite as a file', () => {
  it('is opened by its first use, which makes its folder', async () => {
    const journal = open()
    expect(readdirSync(folder)).toEqual([])
    await journal.putRun(journalRun('r1'))
    expect(readdirSync(join(folder, 'deep'))).toContain('runs.db')
  })

  it('never makes a file when it is closed unused', async () => {
    await open().close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('holds what was recorded when another opens it, though nobody closed it', async () => {
    const first = open()
    await first.putRun(journalRun('r1'))
    await first.putStep(journalStep('r1', 'a'))
    const second = open()
    expect(await second.getRun('r1')).toEqual(journalRun('r1'))
    expect(await second.listSteps('r1')).toEqual([journalStep('r1', 'a')])
  })

  it('keeps every step it reported as recorded when the process is killed in the middle of writing', async () => {
    let reported = -1
    const end = await inProcess(
      `const journal = sqliteJournal(path)
       for (let n = 0; ; n++) { await journal.putStep(journalStep('r1', String(n))); console.log(n) }`,
      (line, kill) => {
        reported = Math.max(reported, Number(line))
        if (reported >= 200) kill()
      },
    )
    expect(end).toBe('SIGKILL')
    const steps = await open().listSteps('r1')
    expect(steps.length).toBeGreaterThan(reported)
    expect(steps.map((step) => step.path)).toEqual(steps.map((_, n) => String(n)))
  })

  it('takes the writes of two processes that open it at once', async () => {
    const script = (name: string): string =>
      `const journal = sqliteJournal(path)
       for (let n = 0; n < 50; n++) { await journal.putStep(journalStep('${name}', String(n))); await journal.putStep(journalStep('both', String(n), { output: '"${name}"' })) }
       await journal.close()`
    expect(await Promise.all(['one', 'two'].map((name) => inProcess(script(name))))).toEqual([0, 0])
    const journal = open()
    const counts = await Promise.all(['one', 'two', 'both'].map(async (run) => (await journal.listSteps(run)).length))
    expect(counts).toEqual([50, 50, 50])
  })

  it('leaves nothing of an erased document in its files', async () => {
    const journal = open()
    for (let n = 0; n < 300; n++) {
      const documentId = n % 3 === 0 ? 'secret' : 'whale'
      const output = JSON.stringify(`${documentId === 'secret' ? 'xylophone' : 'harpoon'} ${'.'.repeat(n * 7)} ${n}`)
      await journal.putStep(journalStep(`r${n % 20}`, String(n), { documentIds: [documentId], output }))
    }
    await journal.putRun(journalRun('r-secret', { documentIds: ['secret'], question: 'Where is the xylophone?' }))
    const bytes = (): Buffer => Buffer.concat(readdirSync(join(folder, 'deep')).map((name) => readFileSync(join(folder, 'deep', name))))
    expect(bytes().includes('xylophone')).toBe(true)
    expect((await journal.erase({ scope: 'ada', documentIds: ['secret'] })).counts).toEqual({ runs: 1, steps: 100 })
    expect(bytes().includes('xylophone')).toBe(false)
    expect(bytes().includes('secret')).toBe(false)
    expect(bytes().includes('harpoon')).toBe(true)
  })

  it('says so when a reader keeps erased text in the log, and clears it the next time', async () => {
    const journal = open({ busyTimeout: 0 })
    await journal.putStep(journalStep('r1', 'a'))
    await journal.putStep(journalStep('r1', 'b', { documentIds: ['ship'] }))
    const reader = new Database(path)
    reader.exec('BEGIN; SELECT * FROM steps')
    await expect(journal.erase({ scope: 'ada', documentIds: ['whale'] })).rejects.toMatchObject({ name: 'StoreError', reason: 'busy' })
    reader.exec('COMMIT')
    reader.close()
    expect((await journal.erase({ scope: 'ada' })).counts).toEqual({ runs: 0, steps: 1 })
    expect(readFileSync(path).includes('notes of')).toBe(false)
  })

  it('searches by index, not by reading everything', async () => {
    await open().putStep(journalStep('r1', 'a'))
    const database = new Database(path)
    const plan = (sql: string): string => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
    expect(plan("SELECT record FROM steps WHERE scope = 'a' AND key = 'b' ORDER BY seq DESC LIMIT 1")).toMatch(/USING INDEX steps_by_key/)
    expect(plan("SELECT record FROM steps WHERE run = 'a' AND path = 'b'")).toMatch(/USING INDEX/)
    database.close()
  })
})

describe('what the journal in SQLite refuses', () => {
  it('an empty path', () => {
    expect(() => sqliteJournal('')).toThrow(/Cannot open a journal as its path must be a text: ""/)
  })

  it('a file that is no database, and leaves it as it was', async () => {
    path = join(folder, 'notes.txt')
    writeFileSync(path, 'these are notes, not a database. '.repeat(100))
    await expect(open().listRuns()).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt', store: path })
    expect(readFileSync(path, 'utf8')).toMatch(/^these are notes/)
  })

  it('another program’s database, and leaves it as it was', async () => {
    path = join(folder, 'theirs.db')
    const database = new Database(path)
    database.exec('CREATE TABLE theirs (value)')
    database.close()
    await expect(open().listRuns()).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch', store: path })
    const again = new Database(path)
    expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['theirs'])
    again.close()
  })

  it('a journal of a later schema', async () => {
    await open().putRun(journalRun('r1'))
    const database = new Database(path)
    database.pragma('user_version = 99')
    database.close()
    await expect(open().listRuns()).rejects.toThrow(/its schema version is 99 and not 1/)
  })

  it('a damaged page when it is read', async () => {
    const first = open()
    for (let n = 0; n < 300; n++) await first.putStep(journalStep('r1', String(n)))
    await first.close()
    writeFileSync(path, readFileSync(path).fill(0xee, 4_096))
    await expect(open().listSteps('r1')).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt' })
  })

  it('a path below a file', async () => {
    writeFileSync(join(folder, 'file'), '')
    path = join(folder, 'file', 'runs.db')
    await expect(open().putRun(journalRun('r1'))).rejects.toMatchObject({ name: 'StoreError', reason: 'missing', store: path })
  })

  it('a directory', async () => {
    mkdirSync(path, { recursive: true })
    await expect(open().putRun(journalRun('r1'))).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch', store: path })
  })

  it('a write while another process writes, and takes it afterwards', async () => {
    const journal = open({ busyTimeout: 0 })
    await journal.listRuns()
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(journal.putRun(journalRun('r1'))).rejects.toMatchObject({ name: 'StoreError', reason: 'busy' })
    other.exec('ROLLBACK')
    other.close()
    await journal.putRun(journalRun('r1'))
    expect((await journal.listRuns()).length).toBe(1)
  })

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'a folder without the permission to write (not as root)',
    async () => {
      chmodSync(folder, 0o500)
      await expect(open().putRun(journalRun('r1'))).rejects.toMatchObject({ name: 'StoreError', reason: 'read-only', store: path })
    },
  )

  it.skipIf(!canMount)('a read-only disk, whether the journal is there or not (needs mount)', async () => {
    const place = mount('size=4m')
    path = join(place, 'runs.db')
    const writer = open()
    await writer.putRun(journalRun('r1'))
    await writer.close()
    execFileSync('mount', ['-o', 'remount,ro', place])
    await expect(open().putRun(journalRun('r2'))).rejects.toMatchObject({ name: 'StoreError', reason: 'read-only', store: path })
    await expect(open({}, join(place, 'deep', 'new.db')).putRun(journalRun('r2'))).rejects.toMatchObject({ reason: 'read-only' })
  })

  it.skipIf(!canMount)('a full disk, keeps what it had, and goes on when there is room again (needs mount)', async () => {
    const place = mount('size=512k')
    path = join(place, 'runs.db')
    const ballast = join(place, 'ballast')
    writeFileSync(ballast, Buffer.alloc(300_000))
    const journal = open()
    let recorded = 0
    const fill = async (): Promise<void> => {
      for (; recorded < 500; recorded++)
        await journal.putStep(journalStep('r1', String(recorded), { output: JSON.stringify('x'.repeat(2_000)) }))
    }
    await expect(fill()).rejects.toMatchObject({ name: 'StoreError', reason: 'full', store: path })
    expect((await journal.listSteps('r1')).length).toBe(recorded)
    rmSync(ballast)
    await journal.putStep(journalStep('r1', String(recorded)))
    expect((await journal.listSteps('r1')).length).toBe(recorded + 1)
  })

  it.skipIf(!canMount)('a disk without room for a new file, and opens it when there is some (needs mount)', async () => {
    const place = mount('size=256k')
    path = join(place, 'runs.db')
    const ballast = join(place, 'ballast')
    writeFileSync(ballast, Buffer.alloc(256 * 1024))
    const journal = open()
    await expect(journal.putRun(journalRun('r1'))).rejects.toMatchObject({ name: 'StoreError', reason: 'full', store: path })
    rmSync(ballast)
    await journal.putRun(journalRun('r1'))
    expect((await journal.listRuns()).length).toBe(1)
  })

  it.each([
    ['SQLITE_READONLY_DBMOVED', 'read-only'],
    ['EROFS', 'read-only'],
    ['ENOSPC', 'full'],
    ['SQLITE_FULL', 'full'],
    ['SQLITE_CORRUPT_INDEX', 'corrupt'],
    ['SQLITE_BUSY_SNAPSHOT', 'busy'],
    ['ENOTDIR', 'missing'],
    ['SQLITE_IOERR_READ', 'unknown'],
  ])('reports %s as %s, with the path and what to do', (code, reason) => {
    const error = toJournalError(Object.assign(new Error('it did not work'), { code }), 'record a step', '/somewhere/runs.db')
    expect(error).toMatchObject({ name: 'StoreError', reason, store: '/somewhere/runs.db' })
    expect(String(error)).toMatch(/Cannot record a step in the journal as it did not work: \/somewhere\/runs\.db\. \w/)
  })

  it('passes the caller’s own errors as they are', () => {
    const error = new RangeError('mine')
    expect(toJournalError(error, 'record a step', 'runs.db')).toBe(error)
  })
})
