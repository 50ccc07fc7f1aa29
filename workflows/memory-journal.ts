import { StoreError } from '../errors/index.ts'
import type { ErasureFinding, ErasureTarget } from '../memory/index.ts'
import { describeErasable, erasableTexts, isErasable } from './journal-erasure.ts'
import type { Journal, JournalRun, JournalStep } from './journal.ts'

/** A journal in memory, gone with the process. */
export function createMemoryJournal(): Journal {
  return new MemoryJournal()
}

/** Records are kept as JSON, so that nobody shares them with the journal: what SQLite would keep is what this keeps. */
class MemoryJournal implements Journal {
  readonly #runs = new Map<string, string>()
  /** By run, then by path; both in the order they came. */
  readonly #steps = new Map<string, Map<string, JournalStep>>()
  /** By scope and key, oldest first. */
  readonly #byKey = new Map<string, JournalStep[]>()
  #closed = false

  async putRun(run: JournalRun): Promise<void> {
    this.#checkOpen('record a run')
    this.#runs.set(run.id, JSON.stringify(run))
  }

  async getRun(id: string): Promise<JournalRun | undefined> {
    this.#checkOpen('get a run')
    return toRun(this.#runs.get(id))
  }

  async listRuns(options: { readonly limit?: number; readonly scope?: string } = {}): Promise<JournalRun[]> {
    this.#checkOpen('list runs')
    const { scope, limit = Number.POSITIVE_INFINITY } = options
    checkLimit(limit)
    const runs = [...this.#runs.values()].map((json) => toRun(json) as JournalRun)
    const wanted = runs.filter((run) => scope === undefined || run.scope === scope).reverse()
    return wanted.sort((one, other) => other.createdAt - one.createdAt).slice(0, limit)
  }

  async putStep(step: JournalStep): Promise<void> {
    this.#checkOpen('record a step')
    const steps = this.#steps.get(step.runId) ?? new Map<string, JournalStep>()
    if (steps.has(step.path)) return
    const kept = structuredClone(step)
    this.#steps.set(step.runId, steps.set(step.path, kept))
    const key = keyOf(step.scope, step.key)
    const same = this.#byKey.get(key)
    if (same) same.push(kept)
    else this.#byKey.set(key, [kept])
  }

  async getStep(runId: string, path: string): Promise<JournalStep | undefined> {
    this.#checkOpen('get a step')
    return structuredClone(this.#steps.get(runId)?.get(path))
  }

  async findStep(scope: string, key: string): Promise<JournalStep | undefined> {
    this.#checkOpen('find a step')
    return structuredClone(this.#byKey.get(keyOf(scope, key))?.at(-1))
  }

  async listSteps(runId: string): Promise<JournalStep[]> {
    this.#checkOpen('list steps')
    return structuredClone([...(this.#steps.get(runId)?.values() ?? [])])
  }

  async findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    this.#checkOpen('look for records')
    return describeErasable(this.#targeted(target))
  }

  async erase(target: ErasureTarget): Promise<ErasureFinding> {
    this.#checkOpen('erase')
    const gone = this.#targeted(target)
    for (const { id } of gone.runs) this.#runs.delete(id)
    for (const step of gone.steps) this.#forget(step)
    return describeErasable(gone)
  }

  async *erasableContent(target: ErasureTarget): AsyncGenerator<string> {
    this.#checkOpen('look for records')
    yield* erasableTexts(this.#targeted(target))
  }

  erasableFiles(): readonly string[] {
    return []
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#runs.clear()
    this.#steps.clear()
    this.#byKey.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #targeted(target: ErasureTarget): { readonly runs: JournalRun[]; readonly steps: JournalStep[] } {
    const runs = [...this.#runs.values()].map((json) => toRun(json) as JournalRun).filter((run) => isErasable(run, target))
    const erased = new Set(runs.map(({ id }) => id))
    const steps = [...this.#steps.values()].flatMap((byPath) => Array.from(byPath.values()))
    return { runs, steps: steps.filter((step) => erased.has(step.runId) || isErasable(step, target)) }
  }

  #forget(step: JournalStep): void {
    this.#steps.get(step.runId)?.delete(step.path)
    const key = keyOf(step.scope, step.key)
    const rest = this.#byKey.get(key)?.filter((other) => other !== step) ?? []
    if (rest.length > 0) this.#byKey.set(key, rest)
    else this.#byKey.delete(key)
  }

  #checkOpen(action: string): void {
    if (!this.#closed) return
    throw new StoreError(`Cannot ${action} as the journal is closed: memory. Make a new one`, { reason: 'closed', store: 'memory' })
  }
}

function toRun(json: string | undefined): JournalRun | undefined {
  return json === undefined ? undefined : parseRun(json)
}

/** A run from its JSON, which leaves out what is undefined. */
export function parseRun(json: string): JournalRun {
  const run = JSON.parse(json) as JournalRun
  return { ...run, question: run.question, answer: run.answer }
}

/** @throws RangeError when the limit is no count */
export function checkLimit(limit: number): void {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && limit >= 0)) return
  throw new RangeError(`Cannot list runs as the limit must be a whole number from 0: ${limit}`)
}

function keyOf(scope: string, key: string): string {
  return JSON.stringify([scope, key])
}
