/** A part of a reply: text, the beginning of a call, or a part of its arguments as JSON. */
export type ReadPart = { readonly text: string } | { readonly name: string } | { readonly args: string }

/** Tells calls of tools from other replies while they are written, and parts the arguments from the object around them. */
export interface CallReader {
  push(text: string): ReadPart[]
  /** What is left at the end of the reply. */
  end(): ReadPart[]
}

const CALL = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*/
const FIRST_KEY = /^\s*\{\s*("(?:[^"\\]|\\.)*")/
const BEFORE_FIRST_KEY = /^\s*(?:\{\s*(?:"(?:[^"\\]|\\.?)*)?)?$/

/**
 * Reads a reply that is the call of a tool, `{"name": …, "arguments": …}`, or anything else, which is handed on as text.
 *
 * @param names of the tools that can be called
 */
export function callReader(names: ReadonlySet<string>): CallReader {
  let kind: 'unknown' | 'text' | 'call' = 'unknown'
  let held = ''

  return { push, end }

  function push(text: string): ReadPart[] {
    held += text
    const parts: ReadPart[] = []
    if (kind === 'unknown') parts.push(...decide())
    if (kind === 'text') parts.push(...take(held.length, 'text'))
    // The brace that closes the call is the last one: it waits until something follows, or nothing does.
    if (kind === 'call') parts.push(...take(/[\s}]*$/.exec(held)?.index ?? 0, 'args'))
    return parts
  }

  function end(): ReadPart[] {
    if (kind !== 'call') return take(held.length, 'text')
    return take(/\s*\}?\s*$/.exec(held)?.index ?? held.length, 'args')
  }

  function decide(): ReadPart[] {
    const call = CALL.exec(held)
    if (call === null) {
      if (!mayBecomeCall(held)) kind = 'text'
      return []
    }
    const name: unknown = JSON.parse(call[1] ?? '""')
    const known = typeof name === 'string' && names.has(name)
    kind = known ? 'call' : 'text'
    if (!known) return []
    held = held.slice(call[0].length)
    return [{ name }]
  }

  function take(length: number, as: 'text' | 'args'): ReadPart[] {
    const taken = held.slice(0, length)
    held = held.slice(length)
    if (taken === '') return []
    return [as === 'text' ? { text: taken } : { args: taken }]
  }
}

function mayBecomeCall(text: string): boolean {
  const key = FIRST_KEY.exec(text)
  return key === null ? BEFORE_FIRST_KEY.test(text) : key[1] === '"name"'
}
