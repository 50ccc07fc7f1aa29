/** What Hugging Face names of model classes, tensors and settings are in GGUF terms. */

export interface FolderArchitecture {
  /** `general.architecture`. */
  readonly name: string
  /** Whether the GGUF form has query and key rows in the order of neighbouring pairs. */
  readonly interleaved: boolean
  /** What is added to the weights of norms: Gemma stores them less one. */
  readonly normOffset: number
  /** Tensors of a layer: GGUF's part of the name by Hugging Face's. */
  readonly layer: Readonly<Record<string, string>>
}

const attention = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
} as const

const feedForward = { 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down' } as const
const norms = { input_layernorm: 'attn_norm', post_attention_layernorm: 'ffn_norm' } as const
const headNorms = { 'self_attn.q_norm': 'attn_q_norm', 'self_attn.k_norm': 'attn_k_norm' } as const
const gemmaNorms = {
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
} as const

const llama: FolderArchitecture = {
  name: 'llama',
  interleaved: true,
  normOffset: 0,
  layer: { ...attention, ...feedForward, ...norms },
}

const architectures: ReadonlyMap<unknown, FolderArchitecture> = new Map([
  ['LlamaForCausalLM', llama],
  ['MistralForCausalLM', llama],
  ['Qwen2ForCausalLM', { ...llama, name: 'qwen2', interleaved: false }],
  ['Qwen3ForCausalLM', { ...llama, name: 'qwen3', interleaved: false, layer: { ...llama.layer, ...headNorms } }],
  [
    'Gemma3ForCausalLM',
    { name: 'gemma3', interleaved: false, normOffset: 1, layer: { ...attention, ...feedForward, ...headNorms, ...gemmaNorms } },
  ],
  [
    'Phi3ForCausalLM',
    {
      name: 'phi3',
      interleaved: false,
      normOffset: 0,
      layer: {
        'self_attn.qkv_proj': 'attn_qkv',
        'self_attn.o_proj': 'attn_output',
        'mlp.gate_up_proj': 'ffn_up',
        'mlp.down_proj': 'ffn_down',
        ...norms,
      },
    },
  ],
])

/** Classes whose folders are read. */
export const folderClasses: readonly string[] = [...architectures.keys()].map(String)

/** What a class of models is in GGUF terms; undefined when it is not read. */
export function folderArchitecture(className: unknown): FolderArchitecture | undefined {
  return architectures.get(className)
}

const outerNames: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
}

/** GGUF's name of a tensor; undefined when it has none. */
export function ggufTensorName({ layer }: FolderArchitecture, name: string): string | undefined {
  if (Object.hasOwn(outerNames, name)) return outerNames[name]
  const [, index, part, kind] = /^model\.layers\.(0|[1-9]\d{0,5})\.(.+)\.(weight|bias)$/.exec(name) ?? []
  if (index === undefined || part === undefined || !Object.hasOwn(layer, part)) return undefined
  return `blk.${index}.${layer[part]}.${kind}`
}

/** Tables that a model can compute, which older files hold all the same. */
export function isDerivedTensor(name: string): boolean {
  return name.endsWith('.rotary_emb.inv_freq')
}
