/** Whether anybody reaches another's memory: generated attempts over every route of the service. */
import fc from 'fast-check'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { createWorld } from './service-attempts.ts'

const ATTEMPTS = 10_000
const QUICK_ATTEMPTS = 1_000

export const bench: Bench = {
  name: 'service-isolation',
  run: (options) => measureIsolation(options, options.quick ? QUICK_ATTEMPTS : ATTEMPTS),
}

export async function measureIsolation(
  { seed, signal, log }: Pick<BenchOptions, 'seed' | 'signal' | 'log'>,
  count: number,
): Promise<BenchResult> {
  await using world = await createWorld()
  const statuses = new Map<number, number>()
  let leaks = 0
  for (const [at, attempt] of fc.sample(world.attempts, { numRuns: count, seed }).entries()) {
    signal.throwIfAborted()
    const { status, leaks: hasLeaked } = await world.try(attempt)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (hasLeaked) {
      leaks++
      log(`service-isolation: leaked by ${attempt.operation.method} ${attempt.path}`)
    }
    if ((at + 1) % 1_000 === 0) log(`service-isolation: ${at + 1} of ${count} attempts, ${leaks} leaks`)
  }
  const touched = (await world.isUntouched()) ? 0 : 1
  const counts = [...statuses].toSorted(([a], [b]) => a - b)
  const failures = counts.reduce((sum, [status, times]) => sum + (status >= 500 && status !== 501 ? times : 0), 0)
  return {
    settings: { attempts: count, seed },
    figures: { attempts: count, leaks, touched, failures },
    notes: [`Answers by status: ${counts.map(([status, times]) => `${status} ${times} times`).join(', ')}.`],
  }
}
