import { describe, expect, it } from 'vitest'
import { callModel, createLimiter, type Limiter, type Permit } from '../../models/index.ts'
import { manualClock, scriptedModel } from '../../testing/index.ts'

/** Asks for a place and records when it came. */
async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

function arrivals(limiter: Limiter): {
  readonly order: string[]
  readonly permits: Map<string, Permit>
  ask(name: string, tokens?: number, signal?: AbortSignal): Promise<void>
} {
  const order: string[] = []
  const permits = new Map<string, Permit>()
  return {
    order,
    permits,
    async ask(name, tokens = 1, signal) {
      const permit = await limiter.acquire(tokens, { signal })
      order.push(name)
      permits.set(name, permit)
    },
  }
}

describe('concurrency', () => {
  it('lets so many run at one time, first come first served', async () => {
    const limiter = createLimiter({ concurrency: 2, clock: manualClock() })
    const { ask, order, permits } = arrivals(limiter)
    for (const name of ['a', 'b', 'c', 'd']) void ask(name)
    await settleAll()
    expect(order).toEqual(['a', 'b'])
    permits.get('b')?.settle()
    permits.get('b')?.settle()
    await settleAll()
    expect(order).toEqual(['a', 'b', 'c'])
    permits.get('a')?.settle()
    await settleAll()
    expect(order).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('requests a minute', () => {
  it('lets no window of 60 seconds see more', async () => {
    const clock = manualClock()
    const { ask, order } = arrivals(createLimiter({ requestsPerMinute: 2, clock }))
    void ask('a')
    clock.advance(50_000)
    void ask('b')
    void ask('c')
    void ask('d')
    await settleAll()
    expect(order).toEqual(['a', 'b'])
    clock.advance(10_000)
    await settleAll()
    expect(order).toEqual(['a', 'b', 'c'])
    clock.advance(49_999)
    await settleAll()
    expect(order).toEqual(['a', 'b', 'c'])
    clock.advance(1)
    await settleAll()
    expect(order).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('tokens a minute', () => {
  it('are reserved by estimate and given back when fewer were used', async () => {
    const clock = manualClock()
    const { ask, order, permits } = arrivals(createLimiter({ tokensPerMinute: 100, clock }))
    void ask('a', 80)
    void ask('b', 50)
    await settleAll()
    expect(order).toEqual(['a'])
    permits.get('a')?.settle(50)
    await settleAll()
    expect(order).toEqual(['a', 'b'])
  })

  it('let a call that is above the limit go alone', async () => {
    const clock = manualClock()
    const { ask, order } = arrivals(createLimiter({ tokensPerMinute: 100, clock }))
    void ask('small', 10)
    void ask('huge', 500)
    void ask('next', 10)
    await settleAll()
    expect(order).toEqual(['small'])
    clock.advance(60_000)
    await settleAll()
    expect(order).toEqual(['small', 'huge'])
    clock.advance(60_000)
    await settleAll()
    expect(order).toEqual(['small', 'huge', 'next'])
  })

  it('do not let a small call overtake a large one', async () => {
    const { ask, order } = arrivals(createLimiter({ tokensPerMinute: 100, clock: manualClock() }))
    void ask('a', 60)
    void ask('large', 60)
    void ask('small', 1)
    await settleAll()
    expect(order).toEqual(['a'])
  })
})

describe('waiting', () => {
  it("ends with the signal's reason, makes room for the next and leaves no timer", async () => {
    const clock = manualClock()
    const limiter = createLimiter({ requestsPerMinute: 1, tokensPerMinute: 10, clock })
    const { ask, order } = arrivals(limiter)
    await ask('a', 1)
    const controller = new AbortController()
    const aborted = ask('b', 10, controller.signal)
    await settleAll()
    expect(clock.pending).toBe(1)
    controller.abort('changed my mind')
    await expect(aborted).rejects.toBe('changed my mind')
    expect(clock.pending).toBe(0)
    expect(order).toEqual(['a'])
    await expect(limiter.acquire(1, { signal: AbortSignal.abort('before') })).rejects.toBe('before')
  })

  it('a pause holds all calls until it is over', async () => {
    const clock = manualClock()
    const limiter = createLimiter({ clock })
    const { ask, order } = arrivals(limiter)
    limiter.pause(3000)
    void ask('a')
    await settleAll()
    expect(order).toEqual([])
    clock.advance(3000)
    await settleAll()
    expect(order).toEqual(['a'])
    expect(clock.pending).toBe(0)
  })
})

describe('a limiter and callModel', () => {
  it('gives the place back after success and failure, with the tokens used', async () => {
    const clock = manualClock({ jump: true })
    const limiter = createLimiter({ concurrency: 1, tokensPerMinute: 1000, clock })
    const model = scriptedModel({ fallback: 'yes', maxOutput: 900, faults: [{ kind: 'server-error', calls: [1, 3] }] })
    const description = model.describe()
    const ask = (retries: number): Promise<unknown> =>
      callModel(model, [{ role: 'user', content: 'question' }], { limiter, clock, description, retries })
    await ask(1)
    await expect(ask(0)).rejects.toMatchObject({ reason: 'server' })
    await ask(0)
    expect(model.calls).toHaveLength(4)
    expect(model.peak).toBe(1)
  })

  it('pauses for the time that the server asks one call to wait', async () => {
    const clock = manualClock({ jump: true })
    const pauses: number[] = []
    const limiter = { ...createLimiter({ clock }), pause: (milliseconds: number) => pauses.push(milliseconds) }
    const model = scriptedModel({ fallback: 'yes', faults: [{ kind: 'rate-limit', calls: [1], retryAfter: 4 }] })
    await callModel(model, [{ role: 'user', content: 'question' }], { limiter, clock, random: () => 0 })
    expect(pauses).toEqual([4000])
    expect(clock.waits).toEqual([4000])
  })
})

it.each([{ concurrency: 0 }, { requestsPerMinute: -1 }, { tokensPerMinute: Number.NaN }])('a limit of %j is refused', (limits) => {
  expect(() => createLimiter(limits)).toThrow(RangeError)
})
