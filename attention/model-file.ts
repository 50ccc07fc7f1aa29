/** A model's files, whatever their format: the tensors, the tokenizer and the chat template. */
import type { ByteTokenizer } from './byte-tokenizer.ts'
import { readGguf, type GgufFile } from './gguf.ts'
import { createGgufTokenizer } from './gguf-tokenizer.ts'
import { readModelFolder } from './model-folder.ts'
import type { ByteSource, FileSet } from './runtime.ts'

export interface ModelFile {
  /** A GGUF file, or a folder in the form of one. */
  readonly file: GgufFile
  readonly tokenizer: ByteTokenizer
  /** The chat template (Jinja), if there is one. */
  readonly chatTemplate: string | undefined
  /** Closes what was opened here; the source of a GGUF file stays open. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Reads what stands before the tensors of a GGUF file, or of a folder with `config.json`, `tokenizer.json` and safetensors files.
 *
 * @throws ModelFileError when a file is missing, damaged or of a kind that is not supported
 */
export async function readModelFile(source: ByteSource | FileSet): Promise<ModelFile> {
  if (!('read' in source)) {
    const folder = await readModelFolder(source)
    return { ...folder, [Symbol.asyncDispose]: folder.close }
  }
  const file = await readGguf(source)
  const template = file.metadata.get('tokenizer.chat_template')
  return {
    file,
    tokenizer: createGgufTokenizer(file.metadata),
    chatTemplate: typeof template === 'string' ? template : undefined,
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  }
}

async function nothing(): Promise<void> {}
