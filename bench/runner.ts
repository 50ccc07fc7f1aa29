/** Runs the items of a benchmark so that a run that was killed goes on where it stopped. */
import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Setting } from './bench.ts'

export interface ItemRun<Item, Result> {
  /** Name of the benchmark and what determines its results: only a run of the same settings is gone on with. */
  readonly name: string
  readonly settings: Readonly<Record<string, Setting>>
  readonly items: readonly Item[]
  idOf(item: Item): string
  /** The result as plain data. It may depend on the item and the settings only. */
  run(item: Item, signal: AbortSignal): Promise<Result>
  readonly signal: AbortSignal
  /** Told after each item. */
  onItem?(progress: { readonly done: number; readonly total: number; readonly reused: boolean }): void
  /** Where unfinished runs are kept. */
  readonly folder?: string
}

/** Where unfinished runs are kept by default: outside version control. */
export const RUNS_FOLDER: string = join(import.meta.dirname, 'results', '.runs')

/**
 * Results of all items, in their order; those that an earlier, unfinished run has are taken from its file.
 *
 * @throws RangeError when two items have one id
 */
export async function runItems<Item, Result>(job: ItemRun<Item, Result>): Promise<Result[]> {
  const { items, signal } = job
  const ids = items.map((item) => job.idOf(item))
  if (new Set(ids).size !== ids.length) throw new RangeError(`Cannot run ${job.name} as two items have one id: ${firstTwin(ids)}`)
  const path = runFile(job)
  const known = await readResults<Result>(path)
  await mkdir(dirname(path), { recursive: true })
  const results: Result[] = []
  for (const [at, item] of items.entries()) {
    signal.throwIfAborted()
    const id = ids[at] as string
    const reused = known.has(id)
    const result = reused ? (known.get(id) as Result) : await job.run(item, signal)
    if (!reused) await appendFile(path, `${JSON.stringify({ id, result })}\n`)
    results.push(result)
    job.onItem?.({ done: at + 1, total: items.length, reused })
  }
  return results
}

function runFile({ name, settings, folder = RUNS_FOLDER }: Pick<ItemRun<unknown, unknown>, 'name' | 'settings' | 'folder'>): string {
  const sorted = Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const key = createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 12)
  return join(folder, name, `${key}.jsonl`)
}

/** A line that a kill cut short is left out: its item runs again. */
async function readResults<Result>(path: string): Promise<Map<string, Result>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const complete = text.slice(0, text.lastIndexOf('\n') + 1)
  if (complete.length < text.length) await appendFile(path, '\n')
  const results = new Map<string, Result>()
  for (const line of complete.split('\n')) {
    const entry = parseLine(line)
    if (entry) results.set(entry.id, entry.result as Result)
  }
  return results
}

function parseLine(line: string): { id: string; result: unknown } | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as { id: string; result: unknown })
  } catch {
    return undefined
  }
}

function firstTwin(ids: readonly string[]): string {
  return ids.find((id, at) => ids.indexOf(id) !== at) ?? ''
}
