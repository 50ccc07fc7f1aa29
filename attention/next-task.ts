/** Lets timers, input and output of the host run before going on. */

interface Host {
  readonly setImmediate?: (task: () => void) => unknown
}

/** Resolves in a later task of the event loop; not in a microtask, and without the delay of a timer where the host allows it. */
export function nextTask(): Promise<void> {
  const { setImmediate: soon } = globalThis as Host
  return new Promise((resolve) => {
    if (soon === undefined) setTimeout(resolve, 0)
    else soon(resolve)
  })
}
