import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMemory } from '../../memory/index.ts'
import { chance } from '../../testing/hash.ts'
import { turnVector } from './turn-vector.ts'

/** Points at which the writing process is killed; more by the environment. */
const kills = Number(process.env['SCRIPTORIUM_KILLS'] ?? 8)
const script = fileURLToPath(new URL('append-until-killed.ts', import.meta.url))

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-crash-'))
  path = join(folder, 'memory.db')
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Runs the writer until it has acknowledged so many batches and is killed in the middle of what comes then; gives what it acknowledged. */
async function writeUntilKilled(name: string, batches: number): Promise<string[]> {
  const child = write(name)
  const ended = once(child, 'exit')
  const acknowledged: string[] = []
  let lines = 0
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    acknowledged.push(...line.split(' '))
    if (++lines === batches) child.kill('SIGKILL')
  }
  expect((await ended)[1]).toBe('SIGKILL')
  return acknowledged
}

async function nearest(exactBelow: number, seeds: readonly string[]): Promise<string[][]> {
  await using store = await openMemory(path, { exactBelow })
  const found: string[][] = []
  for (const seed of seeds) {
    const hits = await store.search({ scope: 'one', text: '', vector: turnVector(seed), k: 3, fusion: 'vectors' })
    found.push(hits.map((hit) => hit.record.id))
  }
  return found
}

describe('a SQLite store whose writer is killed', () => {
  it(
    `has every acknowledged turn and an index that agrees, at ${kills} points`,
    async () => {
      const acknowledged: string[] = []
      for (let kill = 0; kill < kills; kill++) {
        acknowledged.push(...(await writeUntilKilled(`${kill}`, 1 + Math.floor(chance(`kill ${kill}`) * 16))))
        const store = await openMemory(path)
        const held = await store.list('one', 'chat')
        const heldIds = new Set(held.map(({ id }) => id))
        expect(acknowledged.filter((id) => !heldIds.has(id))).toEqual([])
        expect(held.map(({ index }) => index)).toEqual(held.map((_, at) => at))
        expect(await store.verify()).toEqual([])
        await store.close()
        const seeds = [...acknowledged.slice(-3), `${kill}`, 'elsewhere']
        expect(await nearest(0, seeds)).toEqual(await nearest(1_000_000, seeds))
      }
    },
    30_000 + kills * 20_000,
  )
})

describe('two processes on one file', () => {
  it('both append to one conversation: no turn is lost and no place given twice', async () => {
    const child = write('child', '0', '40')
    const ended = once(child, 'exit')
    child.stdout?.resume()
    const store = await openMemory(path, { exactBelow: 0, busyTimeout: 60_000 })
    for (let n = 0; n < 40; n++)
      await store.append('one', 'chat', [{ id: `parent-${n}`, text: 'whale', vector: turnVector(`parent-${n}`) }])
    expect(await ended).toEqual([0, null])
    const held = await store.list('one', 'chat')
    expect(held.length).toBe(40 + 13 * 6 + 1)
    expect(held.map(({ index }) => index)).toEqual(held.map((_, at) => at))
    const hits = await store.search({ scope: 'one', text: '', vector: turnVector('child-39-0'), k: 1, fusion: 'vectors' })
    expect(hits.map((hit) => hit.record.id)).toEqual(['child-39-0'])
    expect(await store.verify()).toEqual([])
    await store.close()
  }, 120_000)
})
