import { type ChatModel, describe } from '../models/index.ts'
import type { Worker } from './worker.ts'
import { sectionInstruction } from './writing-prompt.ts'
import { createWriter, type WritingWorkerOptions } from './writing-worker.ts'

export interface SectionReaderOptions extends WritingWorkerOptions {
  /** Most tokens of what it reads of the text before its part; 500 by default, as far as an eighth of the window allows. */
  readonly background?: number
}

/**
 * SCM's reader of long texts (arXiv 2304.13343, ultra-long summarisation): a writing worker that sees the part before its own as background
 * and starts its own unit. The length of its notes is asked for in words and kept in tokens. Parameters as of `writingWorker`.
 */
export function sectionReader(model: ChatModel, options: SectionReaderOptions = {}): Worker {
  const { description = describe(model) } = options
  const { background = Math.min(500, Math.floor(description.window / 8)), ...rest } = options
  const kind = { name: 'section-reader', version: 1, keepsUnit: false, background, instruction: sectionInstruction }
  return createWriter(model, { ...rest, description }, kind)
}
