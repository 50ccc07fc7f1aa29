/** Events for whoever listens. An event with no listener is not kept. */
export class EventStream<T> {
  #listeners = new Set<Listener<T>>()
  #ended = false

  emit(event: T): void {
    for (const listener of this.#listeners) listener.push(event)
  }

  /** Ends every iteration once its queued events are read. */
  end(): void {
    this.#ended = true
    for (const listener of this.#listeners) listener.finish()
    this.#listeners.clear()
  }

  /** Starts to listen now; ends with the stream, or when the reader leaves its loop. */
  listen(): AsyncIterableIterator<T> {
    const listener = new Listener<T>(() => this.#listeners.delete(listener))
    if (this.#ended) listener.finish()
    else this.#listeners.add(listener)
    return listener
  }
}

/** One reader's queue: it grows only while its reader is slower than the run. */
class Listener<T> implements AsyncIterableIterator<T> {
  #queue: T[] = []
  #waiting: ((result: IteratorResult<T>) => void)[] = []
  #finished = false
  #leave: () => void

  constructor(leave: () => void) {
    this.#leave = leave
  }

  push(event: T): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting({ done: false, value: event })
    else this.#queue.push(event)
  }

  finish(): void {
    this.#finished = true
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#queue.shift() as T })
    if (this.#finished) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<T>> {
    this.#leave()
    this.#queue = []
    this.finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
