/** Milliseconds between two looks. */
const INTERVAL = 50

/** Watches a thread from outside, as it cannot look after itself while it parses. */
export interface MemoryWatch {
  start(): void
  stop(): void
}

/**
 * Tells when the memory of the process grows beyond a limit by what is not of this thread. Limits of a thread's heap leave out its buffers, which a
 * file that inflates without end fills.
 *
 * @param most bytes, from each start
 */
export function watchMemory(most: number, exceeded: () => void): MemoryWatch {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      const before = memoryOfOthers()
      timer = setInterval(() => {
        if (memoryOfOthers() - before > most) exceeded()
      }, INTERVAL)
    },
    stop() {
      clearInterval(timer)
    },
  }
}

function memoryOfOthers(): number {
  const { rss, heapTotal, external } = process.memoryUsage()
  return rss - heapTotal - external
}
