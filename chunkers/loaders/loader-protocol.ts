/** What the loader thread and its near side say to each other. One file at a time. */
import type { DocumentErrorReason } from '../../errors/index.ts'
import type { LoadContext, LoadedText, ScannedPage } from './loaded-text.ts'
import type { ThreadFormat } from './thread-loaders.ts'

export type ToLoader =
  | {
      readonly kind: 'load'
      readonly format: ThreadFormat
      readonly bytes: Uint8Array
      /** `ocr` says whether there is a hook to ask. */
      readonly context: Omit<LoadContext, 'ocr'> & { readonly ocr: boolean }
    }
  /** Without a text, the hook failed. */
  | { readonly kind: 'ocr'; readonly text?: string }

export type FromLoader =
  /** Once, when the thread has started. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'loaded'; readonly loaded: LoadedText }
  | { readonly kind: 'ocr'; readonly page: ScannedPage }
  | { readonly kind: 'refused'; readonly message: string; readonly reason: DocumentErrorReason }
  | { readonly kind: 'missing'; readonly packageName: string }
