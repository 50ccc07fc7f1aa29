import { exitCodeOfError, EXIT } from './exit-codes.ts'
import { printable, type Terminal } from './terminal.ts'

/** Writes one line on what went wrong and what to do; gives the exit code. The stack follows where SCRIPTORIUM_DEBUG is set. */
export function reportError(error: unknown, terminal: Terminal): number {
  const code = exitCodeOfError(error)
  const message = oneLine(error instanceof Error ? error.message : String(error))
  const line =
    code === EXIT.unexpected ? `Cannot go on as of an unexpected error: ${message}. Set SCRIPTORIUM_DEBUG=1 to see where` : message
  terminal.stderr.write(`${line}\n`)
  if (terminal.env['SCRIPTORIUM_DEBUG']) terminal.stderr.write(`${stackOf(error)}\n`)
  return code
}

export function oneLine(text: string): string {
  return printable(text)
    .trim()
    .replace(/\s*\n\s*/g, ' ')
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
