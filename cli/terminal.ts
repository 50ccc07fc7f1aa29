import pico from 'picocolors'

/** A stream that may be a terminal. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** What the command sees of the world around it; handed in, so that tests can watch it. */
export interface Terminal {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls back whenever the user asks to stop (Ctrl-C, SIGTERM); returns a function that ends this. */
  onInterrupt(listener: () => void): () => void
  /** Ends the process at once. */
  kill(): void
}

/** Whether a stream is a terminal that understands cursor movements and colours. */
export function isRich(stream: TextStream, { env }: Pick<Terminal, 'env'>): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

export type Colours = ReturnType<typeof pico.createColors>

/** Colours for a stream: none when it is piped, when NO_COLOR is set (no-color.org), or with `--no-color`. */
export function coloursFor(stream: TextStream, terminal: Pick<Terminal, 'env'>, wanted = true): Colours {
  return pico.createColors(wanted && isRich(stream, terminal) && !terminal.env['NO_COLOR'])
}

/** Control characters of a document or a model must not reach the terminal, where they could move the cursor or worse. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}
