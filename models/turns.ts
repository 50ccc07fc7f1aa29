/** One thing at a time, by priority: what a worker with one engine does next. */

interface Waiting {
  readonly priority: number
  readonly start: () => void
}

/** A queue of tasks of which one runs; among equals the first to come is the first to run. */
export class Turns {
  readonly #waiting: Waiting[] = []
  #busy = false

  /**
   * Runs `task` when its turn comes. Lower priorities run first. The task is given a way to let those run that are ahead of it by then.
   */
  async run<T>(priority: number, task: (giveWay: () => Promise<void>) => Promise<T>): Promise<T> {
    if (this.#busy) await this.#wait(priority)
    this.#busy = true
    try {
      return await task(() => this.#giveWay(priority))
    } finally {
      this.#next()
    }
  }

  async #giveWay(priority: number): Promise<void> {
    const first = this.#waiting[0]
    if (first === undefined || first.priority >= priority) return
    // Ahead of its equals: it had begun before them.
    const turn = this.#wait(priority, true)
    this.#next()
    await turn
  }

  #wait(priority: number, ahead = false): Promise<void> {
    return new Promise((start) => {
      const place = this.#waiting.findIndex((other) => (ahead ? other.priority >= priority : other.priority > priority))
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, { priority, start })
    })
  }

  /** Hands the turn on without a gap in which a newcomer could slip in. */
  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#busy = false
    else next.start()
  }
}
