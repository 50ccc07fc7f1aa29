/** Opens the tiny model on the fast path and as the reference. */
import * as runtime from 'onnxruntime-node'
import { openDecoder, readGguf, type Decoder, type OnnxRuntime, type OpenDecoderOptions } from '../../attention/index.ts'
import { openReference, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { writeTinyModel, type TinyOptions } from './tiny-model.ts'
import { memorySource } from './write-gguf.ts'

export const onnxRuntime: OnnxRuntime = runtime

export async function openTiny(
  options: TinyOptions = {},
  opening: Pick<OpenDecoderOptions, 'denseBytes' | 'readForm'> = {},
): Promise<{ decoder: Decoder; reference: ReferenceDecoder }> {
  const source = memorySource(writeTinyModel(options))
  return {
    decoder: await openDecoder({ runtime: onnxRuntime, source, threads: 1, readForm: 'float32', ...opening }),
    reference: await openReference(await readGguf(source)),
  }
}

/** Token ids that look random and are the same each time. */
export function someIds(count: number, seed = 0): number[] {
  return Array.from({ length: count }, (_, index) => (index * 37 + seed * 13 + ((index * index) % 11)) % 96)
}

/** Largest absolute difference of two lists of equal length. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let most = 0
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs((a[index] ?? NaN) - (b[index] ?? NaN))
    if (!(difference <= most)) most = difference
  }
  return most
}
