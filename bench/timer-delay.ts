/** How late a timer of the caller comes while a local model reads thousands of tokens in its worker thread. */
import { openLocalModel } from '../models/index.ts'
import { haystack } from './haystack.ts'
import { quantile } from './statistics.ts'

/** Milliseconds between two ticks. */
const INTERVAL = 5
/** Code units of the text that is read: about 4,000 tokens. */
const LENGTH = 16_000

export interface TimerDelay {
  /** Milliseconds by which 99 of 100 ticks came late, at most. */
  readonly p99: number
  readonly ticks: number
}

export async function measureTimerDelay(seed: number, signal: AbortSignal): Promise<TimerDelay> {
  await using model = await openLocalModel()
  await model.load({ signal })
  const delays: number[] = []
  let due = performance.now() + INTERVAL
  const timer = setInterval(() => {
    const now = performance.now()
    delays.push(Math.max(0, now - due))
    due = now + INTERVAL
  }, INTERVAL)
  try {
    await model.logProbs([{ prefix: haystack('words', LENGTH, seed), text: ' The end.' }], { signal })
  } finally {
    clearInterval(timer)
  }
  return { p99: quantile(delays, 0.99), ticks: delays.length }
}
