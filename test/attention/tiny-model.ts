/** A tiny decoder with random weights, written as a GGUF file. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { TensorType } from '../../attention/index.ts'
import { writeGguf, type WrittenTensor } from './write-gguf.ts'

export interface TinyOptions {
  /** Type of each matrix by a part of its name; the first that matches. */
  readonly types?: Readonly<Record<string, TensorType>>
  readonly type?: TensorType
  readonly window?: number
  readonly seed?: number
  /** Adds an output matrix of its own. */
  readonly untied?: boolean
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly extraTensors?: readonly WrittenTensor[]
}

export const tiny = { layers: 3, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, feedForward: 96, vocabulary: 96 } as const

/** The metadata of the tiny model. */
export function tinyMetadata(window = 2048): Record<string, unknown> {
  const letters = Array.from({ length: tiny.vocabulary - 2 }, (_, index) => String.fromCharCode(33 + index))
  return {
    'general.architecture': 'llama',
    'general.name': 'tiny',
    'llama.block_count': tiny.layers,
    'llama.context_length': window,
    'llama.embedding_length': tiny.hidden,
    'llama.feed_forward_length': tiny.feedForward,
    'llama.attention.head_count': tiny.heads,
    'llama.attention.head_count_kv': tiny.kvHeads,
    'llama.rope.freq_base': 10_000,
    'llama.attention.layer_norm_rms_epsilon': 0.000_01,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': ['<s>', '</s>', ...letters],
    'tokenizer.ggml.merges': ['a b'],
    'tokenizer.ggml.token_type': [3, 3, ...letters.map(() => 1)],
    'tokenizer.ggml.bos_token_id': 0,
    'tokenizer.ggml.eos_token_id': 1,
    'tokenizer.chat_template': '{{ messages }}',
  }
}

/** Bytes of the tiny model's file. */
export function writeTinyModel(options: TinyOptions = {}): Uint8Array {
  const { type = 'F32', types = {}, window = 2048, seed = 1, untied = false, metadata = {}, extraTensors = [] } = options
  const generator = xoroshiro128plus(seed)
  const random = (): number => uniformFloat64(generator)
  const typeOf = (name: string): TensorType => Object.entries(types).find(([part]) => name.includes(part))?.[1] ?? type
  const matrix = (name: string, inputs: number, outputs: number): WrittenTensor => {
    const chosen = typeOf(name)
    return { name: `${name}.weight`, type: chosen, dims: [inputs, outputs], bytes: randomValues(chosen, inputs * outputs, random) }
  }
  const vector = (name: string): WrittenTensor => {
    const values = Float32Array.from({ length: tiny.hidden }, () => 0.5 + random())
    return { name: `${name}.weight`, type: 'F32', dims: [tiny.hidden], bytes: new Uint8Array(values.buffer) }
  }
  const { hidden, heads, kvHeads, headDim, feedForward, vocabulary } = tiny
  const tensors = [matrix('token_embd', hidden, vocabulary), vector('output_norm')]
  if (untied) tensors.push(matrix('output', hidden, vocabulary))
  for (let layer = 0; layer < tiny.layers; layer++) {
    const name = (part: string): string => `blk.${layer}.${part}`
    tensors.push(
      vector(name('attn_norm')),
      matrix(name('attn_q'), hidden, heads * headDim),
      matrix(name('attn_k'), hidden, kvHeads * headDim),
    )
    tensors.push(matrix(name('attn_v'), hidden, kvHeads * headDim), matrix(name('attn_output'), heads * headDim, hidden))
    tensors.push(vector(name('ffn_norm')), matrix(name('ffn_gate'), hidden, feedForward), matrix(name('ffn_up'), hidden, feedForward))
    tensors.push(matrix(name('ffn_down'), feedForward, hidden))
  }
  return writeGguf({ metadata: { ...tinyMetadata(window), ...metadata }, tensors: [...tensors, ...extraTensors] })
}

/** Random blocks of `type` whose values lie about zero, mostly below 0.3 in size. */
export function randomValues(type: TensorType, count: number, random: () => number): Uint8Array {
  const byte = (): number => Math.floor(256 * random())
  const bytes = (length: number): number[] => Array.from({ length }, byte)
  // A half between 2^exponent and twice that.
  const half = (exponent: number, sign = 0): number[] => {
    const bits = (sign << 15) | ((exponent + 15) << 10) | Math.floor(1024 * random())
    return [bits & 255, bits >> 8]
  }
  const blocks = (length: number, make: () => number[]): Uint8Array => Uint8Array.from(Array.from({ length }, make).flat())
  switch (type) {
    case 'F32':
      return new Uint8Array(Float32Array.from({ length: count }, () => 0.6 * random() - 0.3).buffer)
    case 'F16':
      return blocks(count, () => half(-4 + Math.floor(3 * random()), random() < 0.5 ? 1 : 0))
    case 'BF16':
      return blocks(count, () => [...new Uint8Array(Float32Array.of(0.6 * random() - 0.3).buffer)].slice(2))
    case 'Q8_0':
      return blocks(count / 32, () => [...half(-10), ...bytes(32)])
    case 'Q4_0':
      return blocks(count / 32, () => [...half(-6), ...bytes(16)])
    case 'Q4_1':
      return blocks(count / 32, () => [...half(-6), ...half(-3, 1), ...bytes(16)])
    default:
      return type satisfies never
  }
}
