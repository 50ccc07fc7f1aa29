/** Why a document could not be read. */
export type DocumentErrorReason =
  | 'not-found'
  | 'not-a-file'
  | 'unreadable'
  | 'empty'
  | 'binary'
  | 'encoding'
  | 'too-large'
  | 'too-slow'
  | 'damaged'
  | 'encrypted'
  | 'unsupported'

/** A source that cannot be read as a document. The message names the source and what to do. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly reason: DocumentErrorReason
  /** The path or label of the source. */
  readonly source: string

  constructor(message: string, options: { reason: DocumentErrorReason; source: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.reason = options.reason
    this.source = options.source
  }
}
