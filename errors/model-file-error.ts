/** A model file is missing, damaged or of a kind that is not supported. The message names the file, the value and what to do. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError'
  /** The file, or the label of the byte source. */
  readonly file: string

  constructor(message: string, options: { file: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.file = options.file
  }
}
