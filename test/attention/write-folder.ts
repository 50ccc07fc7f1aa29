/** Writes the files of a model's folder in memory: the tiny model as Hugging Face has it, sound or broken. */
import type { ByteSource, FileSet, GgufFile, GgufTensor } from '../../attention/index.ts'
import { readTensorBytes } from '../../attention/index.ts'
import { tiny, type TinyArchitecture } from './tiny-model.ts'

export interface FolderTensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

export type FolderFiles = Map<string, Uint8Array>

/** A folder in memory; `opened` collects the names asked for, `closed` those closed. */
export function memoryFolder(files: FolderFiles, opened: string[] = [], closed: string[] = []): FileSet {
  const open = (name: string): (ByteSource & { close(): Promise<void> }) | undefined => {
    opened.push(name)
    const bytes = files.get(name)
    if (bytes === undefined) return undefined
    const read = (start: number, end: number): Promise<Uint8Array> => Promise.resolve(bytes.slice(start, end))
    return { name: `folder/${name}`, size: bytes.length, read, close: async () => void closed.push(name) }
  }
  return { name: 'folder', open: (name) => Promise.resolve(open(name)) }
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

export function writeSafetensors(tensors: readonly FolderTensor[], header: Readonly<Record<string, unknown>> = {}): Uint8Array {
  let at = 0
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  for (const { name, dtype, shape, bytes } of tensors) {
    entries[name] = { dtype, shape, data_offsets: [at, at + bytes.length] }
    at += bytes.length
  }
  return safetensorsFile(
    JSON.stringify({ ...entries, ...header }),
    tensors.map(({ bytes }) => bytes),
  )
}

export function safetensorsFile(header: string, data: readonly Uint8Array[] = []): Uint8Array {
  const text = new TextEncoder().encode(header)
  const whole = new Uint8Array(8 + text.length + data.reduce((sum, { length }) => sum + length, 0))
  new DataView(whole.buffer).setBigUint64(0, BigInt(text.length), true)
  whole.set(text, 8)
  let at = 8 + text.length
  for (const bytes of data) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}

const folderNames: readonly (readonly [RegExp, string])[] = [
  [/^token_embd\.(\w+)$/, 'model.embed_tokens.$1'],
  [/^output_norm\.(\w+)$/, 'model.norm.$1'],
  [/^output\.(\w+)$/, 'lm_head.$1'],
  [/^blk\.(\d+)\.attn_norm\.(\w+)$/, 'model.layers.$1.input_layernorm.$2'],
  [/^blk\.(\d+)\.ffn_norm\.(\w+)$/, 'model.layers.$1.post_attention_layernorm.$2'],
  [/^blk\.(\d+)\.attn_qkv\.(\w+)$/, 'model.layers.$1.self_attn.qkv_proj.$2'],
  [/^blk\.(\d+)\.attn_([qk])_norm\.(\w+)$/, 'model.layers.$1.self_attn.$2_norm.$3'],
  [/^blk\.(\d+)\.attn_output\.(\w+)$/, 'model.layers.$1.self_attn.o_proj.$2'],
  [/^blk\.(\d+)\.attn_([qkv])\.(\w+)$/, 'model.layers.$1.self_attn.$2_proj.$3'],
  [/^blk\.(\d+)\.ffn_(gate|up|down)\.(\w+)$/, 'model.layers.$1.mlp.$2_proj.$3'],
]

/** What is called otherwise than above. */
const ownNames: Readonly<Partial<Record<TinyArchitecture, typeof folderNames>>> = {
  gemma3: [
    [/^blk\.(\d+)\.ffn_norm\.(\w+)$/, 'model.layers.$1.pre_feedforward_layernorm.$2'],
    [/^blk\.(\d+)\.post_attention_norm\.(\w+)$/, 'model.layers.$1.post_attention_layernorm.$2'],
    [/^blk\.(\d+)\.post_ffw_norm\.(\w+)$/, 'model.layers.$1.post_feedforward_layernorm.$2'],
  ],
  phi3: [[/^blk\.(\d+)\.ffn_up\.(\w+)$/, 'model.layers.$1.mlp.gate_up_proj.$2']],
}

/** The tensors of a GGUF file under the names, in the shapes and in the order of rows that Hugging Face has; those of rotary scaling have no place. */
export async function folderTensors(file: GgufFile, architecture: TinyArchitecture = 'llama'): Promise<FolderTensor[]> {
  const tensors: FolderTensor[] = []
  const names = [...(ownNames[architecture] ?? []), ...folderNames]
  for (const tensor of file.tensors.values()) {
    if (tensor.name.startsWith('rope_')) continue
    const [pattern, name] = names.find(([candidate]) => candidate.test(tensor.name))!
    const given = await readTensorBytes(file, tensor)
    // Gemma stores the weights of its norms less one.
    const isLess = architecture === 'gemma3' && tensor.name.endsWith('norm.weight')
    const bytes = isLess ? new Uint8Array(new Float32Array(given.slice().buffer).map((value) => value - 1).buffer) : given
    const heads = architecture !== 'llama' || tensor.name.endsWith('norm.weight') ? undefined : headsOf(tensor)
    tensors.push({
      name: tensor.name.replace(pattern, name),
      dtype: tensor.type,
      shape: tensor.dims.toReversed(),
      bytes: heads === undefined ? bytes : inHalves(tensor, bytes, heads),
    })
  }
  return tensors
}

function headsOf({ name }: GgufTensor): number | undefined {
  return name.includes('attn_q') ? tiny.heads : name.includes('attn_k') ? tiny.kvHeads : undefined
}

/** The same tensors in 16 bits, cut. */
export function inBfloat16(tensors: readonly FolderTensor[]): FolderTensor[] {
  return tensors.map((tensor) => {
    if (tensor.dtype !== 'F32') return tensor
    const bits = new Uint32Array(tensor.bytes.slice().buffer)
    return { ...tensor, dtype: 'BF16', bytes: new Uint8Array(Uint16Array.from(bits, (value) => value >>> 16).buffer) }
  })
}

/** Value i of a head, which stands beside its partner in GGUF, stands half a head before it in Hugging Face's order. */
function inHalves({ dims }: GgufTensor, bytes: Uint8Array, heads: number): Uint8Array {
  const rows = dims[1]!
  const width = bytes.length / rows
  const size = rows / heads
  const ordered = new Uint8Array(bytes.length)
  for (let head = 0; head < heads; head++) {
    for (let pair = 0; pair < size / 2; pair++) {
      for (const half of [0, 1]) {
        const from = head * size + 2 * pair + half
        const to = head * size + half * (size / 2) + pair
        ordered.set(bytes.subarray(from * width, (from + 1) * width), to * width)
      }
    }
  }
  return ordered
}

/** `config.json` of the tiny model. */
export function folderConfig(): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    _name_or_path: 'tiny',
    num_hidden_layers: tiny.layers,
    max_position_embeddings: 2048,
    hidden_size: tiny.hidden,
    intermediate_size: tiny.feedForward,
    num_attention_heads: tiny.heads,
    num_key_value_heads: tiny.kvHeads,
    rope_theta: 10_000,
    rms_norm_eps: 0.000_01,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: [1],
    torch_dtype: 'float32',
  }
}

/** `tokenizer.json` of the tiny model. */
export function folderTokenizer(tokens: readonly string[]): Record<string, unknown> {
  return {
    version: '1.0',
    added_tokens: tokens.slice(0, 2).map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: ['a b'], unk_token: null },
  }
}
