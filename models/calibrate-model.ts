import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { openDecoder } from '../attention/index.ts'
import { loadOptional } from '../errors/index.ts'
import { besideModel } from './beside-model.ts'
import { type BiasOptions, measureBias } from './distance-bias.ts'
import { tableText } from './distance-bias-file.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import { openFileSource } from './file-source.ts'
import { generateNeedle } from './generated-needles.ts'

export interface CalibrateModelOptions extends BiasOptions {
  /** Plain text files to measure on; generated passages by default. */
  readonly texts?: readonly string[]
  /** Where the table goes; by default beside the model, with the ending `.bias.json` in place of `.gguf`. */
  readonly out?: string
}

/** Sentences of the generated text: some sixteen segments. */
const generatedSentences = 1_920
const sentencesAtOnce = 40

/**
 * Measures what a model's layers score a token for being near, and writes it beside the model: what `calibratedSignificance` needs. The weights are
 * loaded in this thread.
 *
 * @param path a GGUF file
 * @returns the path of the table
 * @throws ModelFileError when a file is missing, damaged or not supported
 * @throws RangeError when the texts are too short
 */
export async function calibrateModel(path: string, options: CalibrateModelOptions = {}): Promise<string> {
  const { texts: files, out = besideModel(path, 'bias.json'), ...measuring } = options
  const runtime = await loadOptional('onnxruntime-node', 'calibrate a model', () => import('onnxruntime-node'))
  const texts = files === undefined ? [{ name: 'generated', text: generatedText() }] : await Promise.all(files.map(readText))
  await using source = await openFileSource(path)
  await using decoder = await openDecoder({ runtime, source })
  const measured = await measureBias(
    decoder,
    texts.map(({ text }) => text),
    measuring,
  )
  const named = texts.map(({ name, text }) => ({ name, sha256: createHash('sha256').update(text).digest('hex') }))
  const { ropeForm } = decoder.config
  await writeFile(out, tableText({ ...measured, model: await fileFingerprint(source), ropeForm, texts: named }))
  return out
}

async function readText(path: string): Promise<{ name: string; text: string }> {
  return { name: basename(path), text: await readFile(path, 'utf8') }
}

function generatedText(): string {
  const passages = Array.from({ length: generatedSentences / sentencesAtOnce }, (_, index) => generateNeedle(sentencesAtOnce, index + 1))
  return passages.map(({ sentences }) => sentences.join(' ')).join('\n\n')
}
