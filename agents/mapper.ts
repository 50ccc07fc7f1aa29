import type { ChatModel } from '../models/index.ts'
import type { Worker } from './worker.ts'
import { mapperInstruction } from './writing-prompt.ts'
import { createWriter, type WritingWorkerOptions } from './writing-worker.ts'

/** Reads each chunk on its own, for map-reduce: a writing worker that is handed nothing and starts its own unit. Parameters as of `writingWorker`. */
export function mapper(model: ChatModel, options: WritingWorkerOptions = {}): Worker {
  return createWriter(model, options, { name: 'mapper', version: 1, keepsUnit: false, instruction: mapperInstruction })
}
