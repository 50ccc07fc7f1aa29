/** Times two sides by turns, so that other load on the machine falls on both. */
import { median } from 'simple-statistics'

export interface Alternated {
  /** Medians, in seconds. */
  readonly ours: number
  readonly peer: number
  /** Median over the pairs of the peer's time over ours: above 1, ours is faster. */
  readonly ratio: number
}

/** Runs `pairs` pairs. Who goes first changes from pair to pair. */
export async function alternate(pairs: number, ours: () => Promise<number>, peer: () => Promise<number>): Promise<Alternated> {
  const times: { ours: number; peer: number }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? await ours() : await peer()
    const second = pair % 2 === 0 ? await peer() : await ours()
    times.push(pair % 2 === 0 ? { ours: first, peer: second } : { ours: second, peer: first })
  }
  return {
    ours: median(times.map((time) => time.ours)),
    peer: median(times.map((time) => time.peer)),
    ratio: median(times.map((time) => time.peer / time.ours)),
  }
}
