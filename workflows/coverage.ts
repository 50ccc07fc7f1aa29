import type { ChunkReport, Coverage } from './answer.ts'

/** Keeps what became of each chunk; the best outcome counts where several workers read one. */
export interface CoverageBook {
  /** Number of chunks that will be read, once known. */
  expect(total: number): void
  report(report: ChunkReport): { readonly done: number; readonly total: number }
  readonly coverage: Coverage
}

const rank = { read: 3, empty: 2, failed: 1, skipped: 0 } as const

export function createCoverageBook(): CoverageBook {
  const reports = new Map<string, ChunkReport>()
  let expected = 0
  return {
    expect(total) {
      expected = total
    },
    report(report) {
      const key = `${report.documentId}\n${report.index}`
      const known = reports.get(key)
      if (!known || rank[report.outcome] > rank[known.outcome]) reports.set(key, report)
      return { done: reports.size, total: Math.max(expected, reports.size) }
    },
    get coverage() {
      return summarise([...reports.values()])
    },
  }
}

function summarise(reports: readonly ChunkReport[]): Coverage {
  const number = (outcome: ChunkReport['outcome']): number => reports.filter((report) => report.outcome === outcome).length
  return {
    total: reports.length,
    read: number('read'),
    empty: number('empty'),
    failed: number('failed'),
    skipped: number('skipped'),
    chunks: reports.filter((report) => report.outcome !== 'read' || report.reason !== undefined),
  }
}
