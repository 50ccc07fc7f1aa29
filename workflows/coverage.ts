import type { Chunk } from '../chunkers/index.ts'
import type { ChunkReport, Coverage } from './answer.ts'

/** Keeps what became of each chunk; the best outcome counts where several workers read one. */
export interface CoverageBook {
  /** The chunks that are there to be read, once they are cut. Cut another way, the last cut counts. */
  expect(chunks: readonly Chunk[]): void
  report(report: ChunkReport): { readonly done: number; readonly total: number }
  /** Reports each expected chunk of which nothing is known as skipped. */
  skipRest(reason: string): void
  readonly coverage: Coverage
}

const rank = { read: 3, empty: 2, failed: 1, skipped: 0 } as const

export function createCoverageBook(): CoverageBook {
  const reports = new Map<string, ChunkReport>()
  let expected: readonly Omit<ChunkReport, 'outcome' | 'reason'>[] = []
  return {
    expect(chunks) {
      // Without the text, which may be as long as the source.
      expected = chunks.map(({ documentId, index, start, end }) => ({ documentId, index, start, end }))
    },
    report(report) {
      const known = reports.get(keyOf(report))
      if (!known || rank[report.outcome] > rank[known.outcome]) reports.set(keyOf(report), report)
      return { done: reports.size, total: Math.max(expected.length, reports.size) }
    },
    skipRest(reason) {
      for (const chunk of expected) if (!reports.has(keyOf(chunk))) reports.set(keyOf(chunk), { ...chunk, outcome: 'skipped', reason })
    },
    get coverage() {
      return summarise([...reports.values()])
    },
  }
}

function keyOf({ documentId, index }: Pick<ChunkReport, 'documentId' | 'index'>): string {
  return `${documentId}\n${index}`
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
