#!/usr/bin/env node
/** The command `scriptorium`. */
import { runCli } from './run-cli.ts'
import type { Terminal } from './terminal.ts'

const signals = ['SIGINT', 'SIGTERM'] as const

const terminal: Terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt(listener) {
    for (const signal of signals) process.on(signal, listener)
    return () => {
      for (const signal of signals) process.off(signal, listener)
    }
  },
  kill() {
    for (const signal of signals) process.removeAllListeners(signal)
    process.kill(process.pid, 'SIGINT')
  },
}

// A reader that has seen enough (`| head`) is no error: what was recorded stays, and nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
process.stderr.on('error', () => undefined)

process.exitCode = await runCli(process.argv.slice(2), terminal)
