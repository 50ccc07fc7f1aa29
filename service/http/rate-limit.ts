/** Buckets of requests, one a key, that fill by time. */
export interface RateLimit {
  /** Takes a request out of the bucket of `name`; gives 0, or the seconds to wait when it is empty. */
  take(name: string): number
}

export interface RateLimitOptions {
  /** Requests a second in the long run. */
  readonly perSecond: number
  /** Requests at once. */
  readonly burst: number
  readonly now: () => number
}

/** Buckets that are kept at most: full ones are dropped, as they are like new. */
const MOST = 10_000

export function createRateLimit({ perSecond, burst, now }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    take(name) {
      const time = now()
      if (buckets.size >= MOST) dropFull(time)
      const bucket = buckets.get(name) ?? { left: burst, at: time }
      buckets.set(name, bucket)
      bucket.left = Math.min(burst, bucket.left + (Math.max(0, time - bucket.at) / 1000) * perSecond)
      bucket.at = time
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perSecond)
      bucket.left--
      return 0
    },
  }

  function dropFull(time: number): void {
    for (const [name, { left, at }] of buckets) if (left + ((time - at) / 1000) * perSecond >= burst) buckets.delete(name)
  }
}
