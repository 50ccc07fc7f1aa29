/** Failures as RFC 9457 problem details, the one form in which the service tells of them. */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import {
  ContextOverflowError,
  DocumentError,
  type DocumentErrorReason,
  MissingPackageError,
  ModelError,
  StoreError,
} from '../../errors/index.ts'
import { BusyError } from '../core/busy-error.ts'
import { OutOfScopeError } from '../core/scoped-store.ts'
import { NoModelError } from '../core/thread-memory.ts'
import { ImportError } from '../core/user-transfer.ts'

/** Where a value of the request is wrong, as a JSON pointer into it, and why. */
export interface ProblemPart {
  readonly pointer: string
  readonly detail: string
}

export interface ProblemOptions {
  readonly detail?: string
  readonly errors?: readonly ProblemPart[]
  /** Seconds after which to try again. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** A failure that the caller is told of. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  /** Kebab-case. */
  readonly type: string
  readonly title: string
  readonly detail: string | undefined
  readonly errors: readonly ProblemPart[] | undefined
  readonly retryAfter: number | undefined

  constructor(status: number, type: string, title: string, options: ProblemOptions = {}) {
    super(options.detail ?? title, { cause: options.cause })
    this.status = status
    this.type = type
    this.title = title
    this.detail = options.detail
    this.errors = options.errors
    this.retryAfter = options.retryAfter
  }
}

export function notFound(what: string): Problem {
  return new Problem(404, 'not-found', 'Not found', { detail: `There is no such ${what}` })
}

export function badRequest(detail: string, errors?: readonly ProblemPart[]): Problem {
  return new Problem(400, 'bad-request', 'Bad request', { detail, ...(errors && { errors }) })
}

/** @param detail what else is missing than a right, where it is */
export function forbidden(detail: string): Problem {
  return new Problem(403, 'forbidden', 'Forbidden', { detail })
}

/** What an error is to a caller. Of one that is unknown nothing is told but that it happened. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException) return httpProblem(error)
  if (error instanceof BusyError) return tooBusy(error.message, error.retryAfter)
  if (error instanceof OutOfScopeError) return forbidden('What was asked for is outside of the scope of the key')
  if (error instanceof NoModelError) return new Problem(501, 'no-model', 'There is no model', { detail: error.message })
  if (error instanceof ImportError) return badRequest(error.message)
  if (error instanceof StoreError) return storeProblem(error)
  if (error instanceof DocumentError) return documentProblem(error)
  if (error instanceof ContextOverflowError)
    return new Problem(422, 'too-long', 'Too long for the model', { detail: error.message, cause: error })
  if (error instanceof ModelError) return modelProblem(error)
  if (error instanceof MissingPackageError)
    return new Problem(501, 'not-installed', 'Not installed', { detail: 'The server lacks an optional package for this', cause: error })
  return new Problem(500, 'internal', 'Internal error', { cause: error })
}

export function tooBusy(detail: string, retryAfter: number): Problem {
  return new Problem(429, 'busy', 'Too many requests', { detail, retryAfter })
}

const TITLES: Readonly<Record<number, readonly [type: string, title: string]>> = {
  400: ['bad-request', 'Bad request'],
  413: ['too-large', 'Too large'],
  415: ['unsupported-media-type', 'Unsupported media type'],
}

function httpProblem(error: HTTPException): Problem {
  const [type, title] = TITLES[error.status] ?? ['bad-request', 'Bad request']
  return new Problem(error.status, type, title, { ...(error.message && { detail: error.message }), cause: error })
}

function storeProblem(error: StoreError): Problem {
  const { reason, message } = error
  // Only conflicts and formats are of the caller's making; other messages name files of the server.
  if (reason === 'conflict') return new Problem(409, 'conflict', 'Conflict', { detail: conflictDetail(message), cause: error })
  if (reason === 'mismatch' || reason === 'corrupt') {
    return error.store === 'import' ? badRequest(message) : new Problem(500, 'store', 'The store cannot be used', { cause: error })
  }
  if (reason === 'full') return new Problem(507, 'store-full', 'The store is full', { cause: error })
  return new Problem(503, 'store', 'The store cannot be used just now', { retryAfter: 5, cause: error })
}

/** The store's message names its file, and the conversation that has the id. */
function conflictDetail(message: string): string {
  if (message.startsWith('Cannot append a turn'))
    return 'A turn of this id is there already with another text. Use another id or idempotency key'
  if (message.startsWith('Cannot erase')) return 'What is there is not what the preview showed. Preview again and confirm that'
  return 'The id is there already with another text. Use another id'
}

const DOCUMENT_STATUS: Partial<Record<DocumentErrorReason, number>> = { 'too-large': 413, unsupported: 415, binary: 415 }

function documentProblem(error: DocumentError): Problem {
  return new Problem(DOCUMENT_STATUS[error.reason] ?? 422, `document-${error.reason}`, 'The document cannot be read', {
    detail: error.message,
    cause: error,
  })
}

function modelProblem(error: ModelError): Problem {
  const isPassing =
    error.reason === 'rate-limit' || error.reason === 'server' || error.reason === 'connection' || error.reason === 'timeout'
  const retryAfter = Math.ceil((error.retryAfter ?? 5_000) / 1000)
  return new Problem(isPassing ? 503 : 502, `model-${error.reason}`, 'The model did not answer', {
    ...(isPassing && { retryAfter }),
    cause: error,
  })
}

/** The response of a problem. `instance` names the request, by which its log lines are found. */
export function problemResponse(c: Context, problem: Problem): Response {
  const { status, type, title, detail, errors, retryAfter } = problem
  const requestId: unknown = c.get('requestId')
  const body = {
    type: `urn:scriptorium:problem:${type}`,
    title,
    status,
    ...(detail !== undefined && { detail }),
    ...(typeof requestId === 'string' && { instance: `urn:scriptorium:request:${requestId}` }),
    ...(errors && { errors }),
  }
  const headers = { 'content-type': 'application/problem+json', ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }
  return c.body(JSON.stringify(body), status as 400, headers)
}
