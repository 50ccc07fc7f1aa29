/** The thread that runs loaders. */
import { parentPort } from 'node:worker_threads'
import { DocumentError, MissingPackageError } from '../../errors/index.ts'
import type { LoadedText, ScannedPage } from './loaded-text.ts'
import type { FromLoader, ToLoader } from './loader-protocol.ts'
import { damaged, messageOf, tooLarge } from './refusals.ts'
import { threadLoaders } from './thread-loaders.ts'

let answerOcr: ((text: string | undefined) => void) | undefined

function send(message: FromLoader): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort?.postMessage(message)
}

function askOcr(page: ScannedPage): Promise<string> {
  return new Promise((resolve, reject) => {
    answerOcr = (text) => (text === undefined ? reject(new Error('the OCR hook failed')) : resolve(text))
    send({ kind: 'ocr', page })
  })
}

async function load({ format, bytes, context: { ocr, ...context } }: Extract<ToLoader, { kind: 'load' }>): Promise<void> {
  try {
    const loaded: LoadedText = await threadLoaders[format](bytes, ocr ? { ...context, ocr: askOcr } : context)
    send({ kind: 'loaded', loaded })
  } catch (error) {
    if (error instanceof MissingPackageError) return send({ kind: 'missing', packageName: error.packageName })
    const { message, reason } = error instanceof DocumentError ? error : refusalOf(error, context.source)
    send({ kind: 'refused', message, reason })
  }
}

/** A parser that runs out of stack or of memory met a file that is made to be too much for it; one that fails otherwise, a damaged one. */
function refusalOf(error: unknown, source: string): DocumentError {
  if (!(error instanceof RangeError)) return damaged(source, `its parser fails (${messageOf(error)})`, error)
  return tooLarge(source, `it nests too deep or is too large for its parser (${error.message})`, 'Convert it to plain text first', error)
}

parentPort?.on('message', (message: ToLoader) => {
  if (message.kind === 'ocr') answerOcr?.(message.text)
  else void load(message)
})

send({ kind: 'ready' })
