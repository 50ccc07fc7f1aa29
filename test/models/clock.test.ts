import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../models/index.ts'

describe('systemClock', () => {
  it('sleeps, and ends a sleep with the reason of its signal and without a timer', async () => {
    vi.useFakeTimers()
    const slept = systemClock.sleep(1000)
    const controller = new AbortController()
    const aborted = systemClock.sleep(1000, { signal: controller.signal })
    expect(vi.getTimerCount()).toBe(2)
    controller.abort('stop')
    await expect(aborted).rejects.toBe('stop')
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1000)
    await expect(slept).resolves.toBeUndefined()
    await expect(systemClock.sleep(1, { signal: controller.signal })).rejects.toBe('stop')
    vi.useRealTimers()
  })
})
