import { pino } from 'pino'
import { type Logger, silent } from '../log/index.ts'
import type { AskFlags } from './options.ts'
import { UsageError } from './usage-error.ts'

/** A logger that writes JSON lines to the file of `--log`; silent without one. Lines are written at once, so that none are lost at the end. */
export function openLog({ log, logLevel }: Pick<AskFlags, 'log' | 'logLevel'>): Logger {
  if (log === undefined) return silent
  try {
    return pino({ name: 'scriptorium', level: logLevel }, pino.destination({ dest: log, sync: true, mkdir: true }))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`Cannot write the log as ${why}: ${log}. Choose another file with --log`, { cause })
  }
}
