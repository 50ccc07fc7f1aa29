import { Writable } from 'node:stream'
import type { Terminal, TextStream } from '../../cli/terminal.ts'

export interface FakeTerminal extends Terminal {
  /** What was written so far. */
  readonly out: string
  readonly err: string
  readonly killed: number
  /** As Ctrl-C would. */
  interrupt(): void
  /** Resolves when the text was written to standard error. */
  says(text: string): Promise<void>
}

/** A terminal that keeps what is written to it. */
export function fakeTerminal(options: { readonly isTTY?: boolean; readonly env?: Record<string, string> } = {}): FakeTerminal {
  const { isTTY = false, env = {} } = options
  const listeners = new Set<() => void>()
  const waiting: { text: string; resolve: () => void }[] = []
  const written = { out: '', err: '', killed: 0 }
  function stream(name: 'out' | 'err'): TextStream {
    const writable = new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _, done) {
        written[name] += String(chunk)
        for (const { text, resolve } of waiting) if (written.err.includes(text)) resolve()
        done()
      },
    })
    return Object.assign(writable, { isTTY })
  }
  return {
    stdout: stream('out'),
    stderr: stream('err'),
    env,
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    kill() {
      written.killed++
    },
    get out() {
      return written.out
    },
    get err() {
      return written.err
    },
    get killed() {
      return written.killed
    },
    interrupt() {
      for (const listener of listeners) listener()
    },
    says: (text) =>
      new Promise((resolve) => {
        if (written.err.includes(text)) resolve()
        else waiting.push({ text, resolve })
      }),
  }
}
