/**
 * Turns what pushes into what is pulled: yields the parts that `start` pushes until its promise settles, and returns its value. Leaving the
 * loop early calls `stop`.
 */
export async function* partStream<T, R>(start: (push: (part: T) => void) => Promise<R>, stop: () => void): AsyncGenerator<T, R> {
  const parts: T[] = []
  let wake = (): void => {}
  let ended = false
  const push = (part: T): void => {
    parts.push(part)
    wake()
  }
  const result = start(push).finally(() => {
    ended = true
    wake()
  })
  // Handled here for a reader who leaves early; a reader who stays meets it below.
  result.catch(() => {})
  try {
    for (;;) {
      const part = parts.shift()
      if (part !== undefined) yield part
      else if (ended) return await result
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    if (!ended) stop()
  }
}
