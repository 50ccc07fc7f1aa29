import { describe, expect, test } from 'vitest'
import { type ByteSource, type Decoder, type FileSet, openDecoder, readGguf } from '../../attention/index.ts'
import { farthest, onnxRuntime, someIds } from './open-tiny.ts'
import { tiny, tinyMetadata, type TinyOptions, writeTinyModel } from './tiny-model.ts'
import { folderConfig, folderTensors, folderTokenizer, inBfloat16, jsonBytes, memoryFolder, writeSafetensors } from './write-folder.ts'
import { memorySource, type WrittenTensor } from './write-gguf.ts'

const pairs = tiny.headDim / 2
const rising = Array.from({ length: pairs }, (_, pair) => 1 + pair / 4)
const ones = rising.map(() => 1)

function divisors(name: string, values: readonly number[]): WrittenTensor {
  return { name, type: 'F32', dims: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) }
}

const long: Pick<TinyOptions, 'metadata' | 'extraTensors'> = {
  metadata: {
    '.rope.scaling.type': 'longrope',
    '.rope.scaling.original_context_length': 512,
    '.rope.scaling.attn_factor': Math.sqrt(1 + Math.log(4) / Math.log(512)),
  },
  extraTensors: [divisors('rope_factors_long.weight', rising), divisors('rope_factors_short.weight', ones)],
}
const longFactors = { long_factor: rising, short_factor: ones }

interface Case {
  readonly name: string
  readonly model: TinyOptions
  /** What `config.json` says besides or instead. */
  readonly config: Readonly<Record<string, unknown>>
}

const cases: readonly Case[] = [
  { name: 'llama', model: {}, config: { sliding_window: null } },
  {
    name: 'llama with a window, as Mistral',
    model: { metadata: { '.attention.sliding_window': 9 } },
    config: { architectures: ['MistralForCausalLM'], sliding_window: 9 },
  },
  {
    name: 'llama with LongRoPE',
    model: long,
    config: { rope_scaling: { rope_type: 'longrope', original_max_position_embeddings: 512, ...longFactors } },
  },
  {
    name: 'llama with YaRN of its own turns and magnitude',
    model: {
      metadata: {
        '.rope.scaling.type': 'yarn',
        '.rope.scaling.factor': 4,
        '.rope.scaling.original_context_length': 512,
        '.rope.scaling.yarn_beta_fast': 16,
        '.rope.scaling.yarn_beta_slow': 2,
        '.rope.scaling.attn_factor': 1.5 / (1 + 0.1 * Math.log(4)),
      },
    },
    config: {
      rope_parameters: {
        rope_type: 'yarn',
        rope_theta: 10_000,
        factor: 4,
        original_max_position_embeddings: 512,
        beta_fast: 16,
        beta_slow: 2,
        attention_factor: 1.5,
      },
    },
  },
  {
    name: 'qwen2, which states a window that is not on',
    model: { architecture: 'qwen2' },
    config: { architectures: ['Qwen2ForCausalLM'], sliding_window: 8, max_window_layers: 3 },
  },
  {
    name: 'qwen3 with wide heads',
    model: { architecture: 'qwen3', shape: { headDim: 32 }, metadata: { '.attention.value_length': 32 } },
    config: { architectures: ['Qwen3ForCausalLM'], head_dim: 32, sliding_window: 8, use_sliding_window: false },
  },
  {
    name: 'gemma3 with listed windows, a base for them, linear scaling and a scale of its own',
    model: {
      architecture: 'gemma3',
      metadata: {
        '.attention.sliding_window': 7,
        '.attention.sliding_window_pattern': [false, true, false],
        '.attention.scale': 24 ** -0.5,
        '.rope.freq_base': 1e6,
        '.rope.freq_base_swa': 500,
        '.rope.scaling.type': 'linear',
        '.rope.scaling.factor': 8,
      },
    },
    config: {
      architectures: ['Gemma3ForCausalLM'],
      hidden_activation: 'gelu_pytorch_tanh',
      sliding_window: 7,
      layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
      query_pre_attn_scalar: 24,
      rope_theta: 1e6,
      rope_local_base_freq: 500,
      rope_scaling: { rope_type: 'linear', factor: 8 },
      attn_logit_softcapping: null,
    },
  },
  {
    name: 'gemma3 with a period of windows and a base for each kind of layer',
    model: {
      architecture: 'gemma3',
      metadata: {
        '.attention.sliding_window': 7,
        '.attention.sliding_window_pattern': 2,
        '.rope.freq_base': 1e6,
        '.rope.freq_base_swa': 500,
      },
    },
    config: {
      architectures: ['Gemma3ForCausalLM'],
      hidden_activation: 'gelu_pytorch_tanh',
      sliding_window: 7,
      sliding_window_pattern: 2,
      query_pre_attn_scalar: tiny.headDim,
      rope_theta: undefined,
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 500 },
      },
    },
  },
  {
    name: 'phi3 with a window',
    model: { architecture: 'phi3', metadata: { '.attention.sliding_window': 12 } },
    config: { architectures: ['Phi3ForCausalLM'], sliding_window: 12 },
  },
  {
    name: 'phi3 with LongRoPE',
    model: { ...long, architecture: 'phi3' },
    config: {
      architectures: ['Phi3ForCausalLM'],
      original_max_position_embeddings: 512,
      rope_scaling: { type: 'longrope', ...longFactors },
    },
  },
]

async function openFolder({ model, config }: Case, gguf: ByteSource): Promise<FileSet> {
  const tensors = await folderTensors(await readGguf(gguf), model.architecture)
  return memoryFolder(
    new Map([
      ['config.json', jsonBytes({ ...folderConfig(), ...config })],
      ['tokenizer.json', jsonBytes(folderTokenizer(tinyMetadata()['tokenizer.ggml.tokens'] as string[]))],
      ['model.safetensors', writeSafetensors(model.type === 'BF16' ? inBfloat16(tensors) : tensors)],
    ]),
  )
}

async function run(source: ByteSource | FileSet): Promise<{ logits: Float32Array; config: Decoder['config'] }> {
  const decoder = await openDecoder({ runtime: onnxRuntime, source, threads: 1 })
  using cache = decoder.createCache()
  const logits = await decoder.prefill(someIds(40), cache)
  await decoder.dispose()
  return { logits, config: decoder.config }
}

describe.each(['F32', 'BF16'] as const)('a folder of %s', (type) => {
  test.each(cases)('gives the shape and the logits of the same model as a GGUF file: $name', async (one) => {
    const model: TinyOptions = { ...one.model, type, roundVectors: true }
    const gguf = memorySource(writeTinyModel(model))
    const folder = await run(await openFolder({ ...one, model }, gguf))
    const whole = await run(gguf)
    expect(folder.config).toEqual(whole.config)
    expect(farthest(folder.logits, whole.logits)).toBeLessThan(1e-4)
  })
})

test('a folder of Qwen with a window that is on is refused by name', async () => {
  const one: Case = {
    name: '',
    model: { architecture: 'qwen2' },
    config: { architectures: ['Qwen2ForCausalLM'], sliding_window: 8, use_sliding_window: true },
  }
  const folder = await openFolder(one, memorySource(writeTinyModel(one.model)))
  await expect(openDecoder({ runtime: onnxRuntime, source: folder })).rejects.toThrow(/a sliding window in this architecture/)
})
