/** How fast one thread moves memory: what bounds decoding, which reads every weight for every token. */

const bytes = 256 * 1024 ** 2

/** Gigabytes read and written a second by copying arrays far larger than the processor's caches; the best of a few. */
export function copyRate(repeats = 5): number {
  const from = new Uint8Array(bytes).fill(1)
  const to = new Uint8Array(bytes)
  let best = Infinity
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now()
    to.set(from)
    best = Math.min(best, performance.now() - start)
  }
  return (2 * bytes) / 1e6 / best
}
