/** What one worker hands on to the next (Chain of Agents, arXiv 2406.02818, section 3.2), with its evidence kept apart from its prose. */

/** A quotation that is literally in the document. */
export interface Quote {
  /** Id within its unit, `q1`, `q2` …: notes refer to it as [q1]. */
  readonly id: string
  readonly documentId: string
  readonly chunkIndex: number
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  /** The words of the document at that span. */
  readonly text: string
  /** How it was found again in the source: as given, or after white space and typographic signs were made equal. */
  readonly how: 'exact' | 'normalised' | 'copied'
  /** Relevance, higher is better, on the scale of whoever gave it. */
  readonly score?: number
  /** Shown together with the quotation before it, as the text goes on from there. */
  readonly continues?: boolean
  /** What the score is made of, by name, for whoever ranks quotations of several workers. */
  readonly signals?: Readonly<Record<string, number>>
}

/** The unit: running notes and the quotations they rest on. Immutable; a worker returns a new one. */
export interface CommunicationUnit {
  readonly notes: string
  readonly quotes: readonly Quote[]
}

export const emptyUnit: CommunicationUnit = { notes: '', quotes: [] }
