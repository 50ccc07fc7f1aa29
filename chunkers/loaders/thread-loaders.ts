import { loadDocx } from './load-docx.ts'
import { loadEpub } from './load-epub.ts'
import { loadHtml } from './load-html.ts'
import { loadMail } from './load-mail.ts'
import { loadPdf } from './load-pdf.ts'
import { loadPptx } from './load-pptx.ts'
import { loadSheets } from './load-sheets.ts'
import type { Loader } from './loaded-text.ts'

/** The loaders that run in a thread of their own, as their parsers block, and may take time and memory without end. */
export const threadLoaders: Readonly<Record<'docx' | 'epub' | 'html' | 'mail' | 'pdf' | 'pptx' | 'sheets', Loader>> = {
  docx: loadDocx,
  epub: loadEpub,
  html: loadHtml,
  mail: loadMail,
  pdf: loadPdf,
  pptx: loadPptx,
  sheets: loadSheets,
}

export type ThreadFormat = keyof typeof threadLoaders
