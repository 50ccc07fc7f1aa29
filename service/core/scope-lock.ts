/**
 * Keeps an erasure apart from everything else that goes on in its scope: what was read before it must not be written after it. Whatever writes shares
 * the scope with others of its kind; an erasure has it alone. First come, first served.
 */
export interface ScopeLocks {
  /** Waits for a place beside others; gives the function that leaves it, to be called once. */
  enter(scope: string): Promise<() => void>
  shared<T>(scope: string, work: () => Promise<T>): Promise<T>
  exclusive<T>(scope: string, work: () => Promise<T>): Promise<T>
}

interface Lock {
  inside: number
  isExclusive: boolean
  readonly waiting: { readonly exclusive: boolean; go(): void }[]
}

export function createScopeLocks(): ScopeLocks {
  const locks = new Map<string, Lock>()

  function acquire(scope: string, exclusive: boolean): Promise<() => void> {
    const lock = locks.get(scope) ?? { inside: 0, isExclusive: false, waiting: [] }
    locks.set(scope, lock)
    return new Promise((resolve) => {
      const go = (): void => {
        lock.inside++
        lock.isExclusive = exclusive
        resolve(() => leave(scope, lock))
      }
      lock.waiting.push({ exclusive, go })
      admit(lock)
    })
  }

  function leave(scope: string, lock: Lock): void {
    lock.inside--
    if (lock.inside === 0) lock.isExclusive = false
    admit(lock)
    if (lock.inside === 0) locks.delete(scope)
  }

  async function during<T>(entering: Promise<() => void>, work: () => Promise<T>): Promise<T> {
    const exit = await entering
    try {
      return await work()
    } finally {
      exit()
    }
  }

  return {
    enter: (scope) => acquire(scope, false),
    shared: (scope, work) => during(acquire(scope, false), work),
    exclusive: (scope, work) => during(acquire(scope, true), work),
  }
}

function admit(lock: Lock): void {
  for (;;) {
    const [next] = lock.waiting
    if (next === undefined || lock.isExclusive || (next.exclusive && lock.inside > 0)) return
    lock.waiting.shift()
    next.go()
  }
}
