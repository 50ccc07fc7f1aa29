/**
 * Conversations as JSON lines: a first line that says what follows, then a turn a line. What is derived from a turn's text alone is left
 * out.
 */
import { StoreError } from '../errors/index.ts'
import type { MemoryRecord, NewTurn } from '../memory/index.ts'
import { pickDefined } from './pick-defined.ts'

export const conversationFormat = 'scriptorium-conversation'
const VERSION = 1
const STORE = 'conversation export'

const FIELDS = [
  'id',
  'role',
  'text',
  'context',
  'createdAt',
  'tokens',
  'summary',
  'summaryTokens',
  'importance',
  'pinned',
  'expiresAt',
  'metadata',
] as const

/** The first line. */
export function exportHeader(threadId: string): string {
  return JSON.stringify({ format: conversationFormat, version: VERSION, threadId })
}

/** A turn as a line. A lone surrogate is kept, as JSON writes it as an escape. */
export function exportTurn(turn: MemoryRecord): string {
  return JSON.stringify(pickDefined(turn, FIELDS))
}

/** What a copy of a turn takes along. */
export function copyTurn(turn: MemoryRecord, id: string): NewTurn {
  return { ...pickDefined(turn, [...FIELDS, 'vector']), id, text: turn.text, kind: 'turn' }
}

/**
 * Reads exported lines; empty ones are passed over.
 *
 * @throws StoreError `mismatch` for another format or a version newer than this one, `corrupt` for a line that is no turn; the message names the line
 */
export async function* importTurns(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<NewTurn> {
  let number = 0
  let headed = false
  for await (const line of lines) {
    number += 1
    if (line.trim() === '') continue
    const value = parse(line, number)
    if (headed) yield turnOf(value, number)
    else checkHeader(value)
    headed = true
  }
  if (!headed) throw new StoreError('Cannot import the conversation as its first line is missing', { reason: 'corrupt', store: STORE })
}

function parse(line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // told below
  }
  throw badLine(number, 'is no JSON object')
}

function checkHeader({ format, version }: Record<string, unknown>): void {
  if (format === conversationFormat && typeof version === 'number' && version <= VERSION) return
  const found = format === conversationFormat ? `a version newer than ${VERSION}: ${String(version)}` : `another format: ${String(format)}`
  throw new StoreError(`Cannot import the conversation as its first line names ${found}`, { reason: 'mismatch', store: STORE })
}

const ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool'])

function turnOf(value: Record<string, unknown>, number: number): NewTurn {
  const { id, text, role } = value
  if (typeof id !== 'string' || typeof text !== 'string' || !ROLES.has(role))
    throw badLine(number, 'is no turn with an id, a role and a text')
  return { ...pickDefined(value as unknown as NewTurn, FIELDS), id, text, kind: 'turn' }
}

function badLine(number: number, what: string): StoreError {
  return new StoreError(`Cannot import the conversation as line ${number} ${what}`, { reason: 'corrupt', store: STORE })
}
