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
  /** Metadata to add; a key that starts with a point belongs to the architecture. */
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly architecture?: TinyArchitecture
  readonly shape?: Partial<TinyShape>
  readonly extraTensors?: readonly WrittenTensor[]
  /** Vectors hold only numbers that have a form in 16 bits, also less one. */
  readonly roundVectors?: boolean
}

export const tiny = { layers: 3, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, feedForward: 96, vocabulary: 96 } as const

export type TinyShape = Record<keyof typeof tiny, number>

/** What the layers of each architecture have besides Llama's tensors, by hand. */
const layouts: Readonly<Record<TinyArchitecture, Layout>> = {
  llama: {},
  qwen2: { biases: true },
  qwen3: { headNorms: true },
  gemma3: { headNorms: true, postNorms: true },
  phi3: { fused: true },
}

interface Layout {
  readonly biases?: boolean
  readonly headNorms?: boolean
  readonly postNorms?: boolean
  readonly fused?: boolean
}

export type TinyArchitecture = 'llama' | 'qwen2' | 'qwen3' | 'gemma3' | 'phi3'

/** The metadata of the tiny model. */
export function tinyMetadata(window = 2048, shape: TinyShape = tiny, name: TinyArchitecture = 'llama'): Record<string, unknown> {
  const letters = Array.from({ length: shape.vocabulary - 2 }, (_, index) => String.fromCharCode(33 + index))
  return {
    'general.architecture': name,
    'general.name': 'tiny',
    [`${name}.block_count`]: shape.layers,
    [`${name}.context_length`]: window,
    [`${name}.embedding_length`]: shape.hidden,
    [`${name}.feed_forward_length`]: shape.feedForward,
    [`${name}.attention.head_count`]: shape.heads,
    [`${name}.attention.head_count_kv`]: shape.kvHeads,
    ...(shape.headDim * shape.heads === shape.hidden ? {} : { [`${name}.attention.key_length`]: shape.headDim }),
    [`${name}.rope.freq_base`]: 10_000,
    [`${name}.attention.layer_norm_rms_epsilon`]: 0.000_01,
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
  const { type = 'F32', types = {}, window = 2048, seed = 1, untied = false, architecture = 'llama', extraTensors = [] } = options
  const shape: TinyShape = { ...tiny, ...options.shape }
  const generator = xoroshiro128plus(seed)
  const random = (): number => uniformFloat64(generator)
  const typeOf = (name: string): TensorType => Object.entries(types).find(([part]) => name.includes(part))?.[1] ?? type
  const rounded = (value: number): number => (options.roundVectors ? Math.floor(128 * value) / 128 : value)
  const matrix = (name: string, inputs: number, outputs: number): WrittenTensor => {
    const chosen = typeOf(name)
    return { name: `${name}.weight`, type: chosen, dims: [inputs, outputs], bytes: randomValues(chosen, inputs * outputs, random) }
  }
  const vector = (name: string, size = shape.hidden, least = 0.5): WrittenTensor => {
    const values = Float32Array.from({ length: size }, () => rounded(least + random()))
    return { name, type: 'F32', dims: [size], bytes: new Uint8Array(values.buffer) }
  }
  const tensors = [matrix('token_embd', shape.hidden, shape.vocabulary), vector('output_norm.weight')]
  if (untied) tensors.push(matrix('output', shape.hidden, shape.vocabulary))
  for (let layer = 0; layer < shape.layers; layer++) {
    tensors.push(...layerOf(`blk.${layer}.`, shape, layouts[architecture], { matrix, vector }))
  }
  const named = Object.entries(options.metadata ?? {}).map(([key, value]) => [key.startsWith('.') ? architecture + key : key, value])
  const metadata = { ...tinyMetadata(window, shape, architecture), ...Object.fromEntries(named) }
  return writeGguf({ metadata, tensors: [...tensors, ...extraTensors] })
}

interface Makers {
  matrix(name: string, inputs: number, outputs: number): WrittenTensor
  vector(name: string, size?: number, least?: number): WrittenTensor
}

function layerOf(prefix: string, shape: TinyShape, layout: Layout, { matrix, vector }: Makers): WrittenTensor[] {
  const { hidden, headDim, feedForward } = shape
  const queries = shape.heads * headDim
  const keys = shape.kvHeads * headDim
  const name = (part: string): string => prefix + part
  const attention = layout.fused
    ? [matrix(name('attn_qkv'), hidden, queries + 2 * keys)]
    : [matrix(name('attn_q'), hidden, queries), matrix(name('attn_k'), hidden, keys), matrix(name('attn_v'), hidden, keys)]
  const gateUp = layout.fused
    ? [matrix(name('ffn_up'), hidden, 2 * feedForward)]
    : [matrix(name('ffn_gate'), hidden, feedForward), matrix(name('ffn_up'), hidden, feedForward)]
  const tensors = [
    vector(name('attn_norm.weight')),
    ...attention,
    matrix(name('attn_output'), queries, hidden),
    vector(name('ffn_norm.weight')),
  ]
  tensors.push(...gateUp, matrix(name('ffn_down'), feedForward, hidden))
  if (layout.biases) {
    tensors.push(
      vector(name('attn_q.bias'), queries, -0.5),
      vector(name('attn_k.bias'), keys, -0.5),
      vector(name('attn_v.bias'), keys, -0.5),
    )
  }
  if (layout.headNorms) tensors.push(vector(name('attn_q_norm.weight'), headDim), vector(name('attn_k_norm.weight'), headDim))
  if (layout.postNorms) tensors.push(vector(name('post_attention_norm.weight')), vector(name('post_ffw_norm.weight')))
  return tensors
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
    case 'Q5_0':
      return blocks(count / 32, () => [...half(-7), ...bytes(20)])
    case 'Q5_1':
      return blocks(count / 32, () => [...half(-7), ...half(-3, 1), ...bytes(20)])
    case 'Q4_K':
      return blocks(count / 256, () => [...half(-12), ...half(-10), ...bytes(140)])
    case 'Q5_K':
      return blocks(count / 256, () => [...half(-13), ...half(-10), ...bytes(172)])
    case 'Q6_K':
      return blocks(count / 256, () => [...bytes(208), ...half(-14)])
    default:
      return type satisfies never
  }
}
