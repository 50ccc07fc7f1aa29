/** The contract of a benchmark. */
import type { BenchRecord } from './record.ts'

/** What every benchmark is handed. */
export interface BenchOptions {
  /** A smaller run of under five minutes on two cores, with the same meaning. */
  readonly quick: boolean
  /** Folder of evaluation data; absent: benchmarks that need one are skipped. */
  readonly data?: string
  readonly signal: AbortSignal
  readonly seed: number
  /** One line of progress. */
  log(line: string): void
}

export type Setting = string | number | boolean

/** What a benchmark measured. */
export interface BenchResult {
  /** What determines the figures: model, sizes, seed, hashes of the data. */
  readonly settings: Readonly<Record<string, Setting>>
  /** The figures, flat: one number a name. */
  readonly figures: Readonly<Record<string, number>>
  /** One record an item and system; the report gives each system's mean with its interval. */
  readonly items?: readonly BenchRecord[]
  /** Pictures, SVG by name. */
  readonly plots?: Readonly<Record<string, string>>
  /** Further lines of the report, Markdown. */
  readonly notes?: readonly string[]
}

/** A benchmark: one name, one way to run it. */
export interface Bench {
  readonly name: string
  run(options: BenchOptions): Promise<BenchResult>
}

/** Thrown by a benchmark that cannot run here, such as one whose data is absent. Reported with its reason; not a failure. */
export class BenchSkipped extends Error {
  override readonly name = 'BenchSkipped'
}
