/** Deterministic automata over bytes, as tables. */

/** States are numbers from 0, which is the first. */
export interface ByteTable {
  /** State after each byte, [states, 256]; -1: no way on. States from which no end can be reached are left out. */
  readonly next: Int32Array
  /** Fewest bytes from each state to an end: 0 where the text may end, Infinity where it never can. */
  readonly costs: Float64Array
}

export interface TableState {
  readonly accepts: boolean
  /** State by byte. */
  readonly edges: ReadonlyMap<number, number>
}

/** The table of `states`; only the bytes that are `usable` are taken. */
export function byteTable(states: readonly TableState[], usable: Uint8Array): ByteTable {
  const next = new Int32Array(states.length * 256).fill(-1)
  const costs = new Float64Array(states.length).fill(Infinity)
  const before: number[][] = states.map(() => [])
  for (const [state, { edges }] of states.entries()) {
    for (const [byte, to] of edges) {
      if (usable[byte] !== 1) continue
      next[state * 256 + byte] = to
      before[to]?.push(state)
    }
  }
  let reached = [...states.keys()].filter((state) => states[state]?.accepts)
  for (const state of reached) costs[state] = 0
  for (let cost = 1; reached.length > 0; cost++) {
    const fresh: number[] = []
    for (const state of reached) {
      for (const one of before[state] ?? []) {
        if (costs[one] !== Infinity) continue
        costs[one] = cost
        fresh.push(one)
      }
    }
    reached = fresh
  }
  for (const [index, to] of next.entries()) if (to >= 0 && costs[to] === Infinity) next[index] = -1
  return { next, costs }
}
