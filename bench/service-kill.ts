/**
 * What is left when the service is killed (SIGKILL) at random moments under load: every turn that was acknowledged must be there once, also where the client
 * sent it again for lack of an answer, and everything must be derived in the end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openMemory } from '../memory/index.ts'
import { openService } from '../service/index.ts'
import { scriptedEmbedder } from '../testing/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { randomIntegers } from './random.ts'

const KILLS = 100
const QUICK_KILLS = 10
const CLIENTS = 8
const THREADS = 5
/** Acknowledged requests between two kills. */
const BETWEEN = { least: 5, most: 60 }

export const bench: Bench = {
  name: 'service-kill',
  run: (options) => measureKills(options, options.quick ? QUICK_KILLS : KILLS),
}

export async function measureKills(
  { seed, signal, log }: Pick<BenchOptions, 'seed' | 'signal' | 'log'>,
  kills: number,
): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'service-kill-'))
  try {
    const draw = randomIntegers(seed)
    const acknowledged = new Set<string>()
    let next = 0
    for (let kill = 0; kill < kills; kill++) {
      signal.throwIfAborted()
      const most = draw(BETWEEN.least, BETWEEN.most)
      // What the last kill left unanswered is sent again under the same keys.
      next = await writeUntilKilled(folder, acknowledged, Math.max(0, next - CLIENTS), most)
      if ((kill + 1) % 10 === 0) log(`service-kill: ${kill + 1} of ${kills} kills, ${acknowledged.size} turns`)
    }
    const figures = await inspect(folder, acknowledged)
    return {
      settings: { kills, clients: CLIENTS, threads: THREADS, seed },
      figures: { kills, acknowledged: acknowledged.size, ...figures },
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Clients append numbered turns, from `from` on, until so many were acknowledged and the service is killed; gives the number behind the last. */
async function writeUntilKilled(folder: string, acknowledged: Set<string>, from: number, most: number): Promise<number> {
  const { child, url } = await startService(folder)
  const ended = once(child, 'exit')
  let next = from
  let left = most
  const client = async (): Promise<void> => {
    while (child.signalCode === null) {
      const name = `turn-${next++}`
      if (!(await append(url, name))) return
      acknowledged.add(name)
      if (--left === 0) child.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  await ended
  return next
}

async function startService(folder: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const script = fileURLToPath(new URL('service-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const url of createInterface({ input: child.stdout })) return { child, url }
  throw new Error(`Cannot measure as the service did not start in ${folder}`)
}

/** Gives whether it was acknowledged: a service that was killed answers nothing. */
async function append(url: string, name: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/threads/${threadOf(name)}/turns`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': name },
      body: JSON.stringify({ turns: [{ role: 'user', text: `My ${name} is here.` }] }),
    })
    await response.text()
    return response.status === 201
  } catch {
    return false
  }
}

function threadOf(name: string): string {
  return `t${Number(name.slice(name.indexOf('-') + 1)) % THREADS}`
}

/** Lets the service finish what is to be derived, then looks into its store. */
async function inspect(folder: string, acknowledged: ReadonlySet<string>): Promise<Record<string, number>> {
  const service = await openService(folder, { embedder: scriptedEmbedder(), open: true })
  await service.idle()
  const jobs = (await (await service.fetch(new Request('http://localhost/v1/jobs'))).json()) as {
    readonly items: readonly { readonly state: string }[]
  }
  await service.close()
  await using store = await openMemory(join(folder, 'memory.db'))
  const counts = new Map<string, number>()
  let underived = 0
  let places = 0
  for (const scope of await store.scopes(10)) {
    for (const { documentId } of await store.documents(scope, 100, 'thread:')) {
      const turns = await store.list(scope, documentId)
      for (const [at, { text, index, vector }] of turns.entries()) {
        const name = /turn-\d+/.exec(text)?.[0] ?? ''
        counts.set(name, (counts.get(name) ?? 0) + 1)
        if (vector === undefined) underived++
        if (index !== at) places++
      }
    }
  }
  const found = [...counts.values()]
  return {
    lost: [...acknowledged].filter((name) => !counts.has(name)).length,
    duplicated: found.filter((count) => count > 1).length,
    misplaced: places,
    underived,
    unfinishedJobs: jobs.items.filter(({ state }) => state !== 'done').length,
    faults: (await store.verify()).length,
  }
}
