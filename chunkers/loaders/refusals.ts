import { DocumentError } from '../../errors/index.ts'

/** The errors that loaders throw, in one wording. `why` follows "as". */
export function damaged(source: string, why: string, cause?: unknown): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: get an undamaged copy`, { reason: 'damaged', source, cause })
}

export function encrypted(source: string, hint: string, cause?: unknown): DocumentError {
  return new DocumentError(`Cannot read ${source} as it is encrypted: ${hint}`, { reason: 'encrypted', source, cause })
}

export function tooLarge(source: string, why: string, hint: string, cause?: unknown): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}. ${hint}`, { reason: 'too-large', source, cause })
}

export function unsupported(source: string, why: string, hint: string): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: ${hint}`, { reason: 'unsupported', source })
}

export function withoutText(source: string, why: string, hint: string): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: ${hint}`, { reason: 'empty', source })
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
