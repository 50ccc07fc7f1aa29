import { beforeAll, describe, expect, test } from 'vitest'
import { openDecoder, readGguf, readModelFile, readTensorBytes, type Decoder, type FileSet } from '../../attention/index.ts'
import { ModelFileError } from '../../errors/index.ts'
import { farthest, onnxRuntime, someIds } from './open-tiny.ts'
import { tinyMetadata, writeTinyModel } from './tiny-model.ts'
import {
  folderConfig,
  type FolderFiles,
  folderTensors,
  folderTokenizer,
  type FolderTensor,
  inBfloat16,
  jsonBytes,
  memoryFolder,
  writeSafetensors,
} from './write-folder.ts'
import { memorySource } from './write-gguf.ts'

const gguf = memorySource(writeTinyModel())
let tensors: FolderTensor[]
let files: FolderFiles

beforeAll(async () => {
  tensors = await folderTensors(await readGguf(gguf))
  files = new Map([
    ['config.json', jsonBytes(folderConfig())],
    ['tokenizer.json', jsonBytes(folderTokenizer(tinyMetadata()['tokenizer.ggml.tokens'] as string[]))],
    ['tokenizer_config.json', jsonBytes({ bos_token: '<s>', eos_token: { content: '</s>' }, chat_template: '{{ messages }}' })],
    ['model.safetensors', writeSafetensors(tensors)],
  ])
})

async function logitsOf(source: FileSet | typeof gguf): Promise<{ logits: Float32Array; decoder: Decoder }> {
  const decoder = await openDecoder({ runtime: onnxRuntime, source, threads: 1 })
  using cache = decoder.createCache()
  const logits = await decoder.prefill(someIds(20), cache)
  await decoder.dispose()
  return { logits, decoder }
}

/** The files with the tensors in two shards. */
function sharded(): FolderFiles {
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const
  const parts = [tensors.slice(0, 9), tensors.slice(9)]
  const map = Object.fromEntries(parts.flatMap((part, at) => part.map(({ name }) => [name, names[at]])))
  const all = new Map(files)
  all.delete('model.safetensors')
  names.forEach((name, at) => all.set(name, writeSafetensors(parts[at]!)))
  return all.set('model.safetensors.index.json', jsonBytes({ metadata: {}, weight_map: map }))
}

describe('a folder of safetensors', () => {
  test('gives the logits, the settings, the tokenizer and the template of the same model as a GGUF file', async () => {
    const whole = await logitsOf(gguf)
    for (const source of [memoryFolder(files), memoryFolder(sharded())]) {
      const { logits, decoder } = await logitsOf(source)
      expect(farthest(logits, whole.logits)).toBe(0)
      expect(decoder.config).toEqual(whole.decoder.config)
      expect(decoder.chatTemplate).toBe('{{ messages }}')
      expect(decoder.tokenizer.special).toEqual(whole.decoder.tokenizer.special)
      for (const text of ['ab', 'a(b)c', '<s>x']) expect(decoder.tokenizer.encode(text)).toEqual(whole.decoder.tokenizer.encode(text))
    }
  })

  test('closes every file that it opened, also when it fails', async () => {
    const [opened, closed]: string[][] = [[], []]
    await using model = await readModelFile(memoryFolder(sharded(), opened, closed))
    await model.close()
    const found = opened!.filter((name) => name !== 'model.safetensors' && name !== 'chat_template.jinja')
    expect(closed!.toSorted()).toEqual(found.toSorted())
    const broken = sharded().set('model-00002-of-00002.safetensors', new Uint8Array(4))
    const [openedBroken, closedBroken]: string[][] = [[], []]
    await expect(readModelFile(memoryFolder(broken, openedBroken, closedBroken))).rejects.toThrow(ModelFileError)
    expect(closedBroken).toContain('model-00002-of-00002.safetensors')
  })

  test('reads vectors of 16 bits as float32 and matrices as they are', async () => {
    const halves = inBfloat16(tensors)
    await using model = await readModelFile(memoryFolder(new Map(files).set('model.safetensors', writeSafetensors(halves))))
    const norm = model.file.tensors.get('blk.0.attn_norm.weight')!
    expect(norm).toMatchObject({ type: 'F32', dims: [64], bytes: 256 })
    expect(model.file.tensors.get('blk.0.ffn_up.weight')).toMatchObject({ type: 'BF16', dims: [64, 96] })
    const given = new Float32Array(tensors.find(({ name }) => name === 'model.layers.0.input_layernorm.weight')!.bytes.slice().buffer)
    const read = new Float32Array((await readTensorBytes(model.file, norm)).slice().buffer)
    expect(farthest(read, given)).toBeLessThan(0.01)
    expect(farthest(read, given)).toBeGreaterThan(0)
  })

  test('reads any rows of a tensor whose rows it reorders', async () => {
    await using model = await readModelFile(memoryFolder(files))
    const whole = await readGguf(gguf)
    for (const name of ['blk.1.attn_q.weight', 'blk.2.attn_k.weight']) {
      for (const [from, to] of [
        [0, 1],
        [3, 21],
        [15, 32],
        [31, 32],
      ] as const) {
        const bytes = await readTensorBytes(model.file, model.file.tensors.get(name)!, from, to)
        expect(bytes).toEqual(await readTensorBytes(whole, whole.tensors.get(name)!, from, to))
      }
    }
  })

  test('prefers the template of its own file, and takes the default one of several', async () => {
    const withFile = new Map(files).set('chat_template.jinja', new TextEncoder().encode('{{ own }}'))
    expect((await readModelFile(memoryFolder(withFile))).chatTemplate).toBe('{{ own }}')
    const several = [
      { name: 'tools', template: 'a' },
      { name: 'default', template: 'b' },
    ]
    const listed = new Map(files).set('tokenizer_config.json', jsonBytes({ chat_template: several }))
    expect((await readModelFile(memoryFolder(listed))).chatTemplate).toBe('b')
  })

  test("divides the frequencies as Llama 3's scaling asks for", async () => {
    const scaling = { rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 }
    const config = { ...folderConfig(), head_dim: 16, rope_theta: 500_000, rope_scaling: scaling }
    await using model = await readModelFile(memoryFolder(new Map(files).set('config.json', jsonBytes(config))))
    const tensor = model.file.tensors.get('rope_freqs.weight')!
    const divisors = new Float32Array((await readTensorBytes(model.file, tensor)).slice().buffer)
    // 8192 / (2 pi 500000^(i / 8)) turns: 1303.8, 252.8, 49.0, 9.51, 1.844, 0.3576, ...
    expect(Array.from(divisors.subarray(0, 4))).toEqual([1, 1, 1, 1])
    expect(divisors[4]).toBeCloseTo(1 / ((1 - 0.2813) / 32 + 0.2813), 2)
    expect(Array.from(divisors.subarray(5))).toEqual([32, 32, 32])
  })

  const changed = (name: string, bytes: Uint8Array | undefined): FolderFiles => {
    const all = new Map(files)
    if (bytes === undefined) all.delete(name)
    else all.set(name, bytes)
    return all
  }
  const withConfig = (change: Record<string, unknown>): FolderFiles => changed('config.json', jsonBytes({ ...folderConfig(), ...change }))
  const withTensors = (change: (all: FolderTensor[]) => FolderTensor[]): FolderFiles =>
    changed('model.safetensors', writeSafetensors(change(tensors)))
  const withIndex = (name: string): FolderFiles =>
    new Map(sharded()).set('model.safetensors.index.json', jsonBytes({ weight_map: { 'lm_head.weight': name } }))

  const refusals: [string, () => FolderFiles, RegExp][] = [
    ['no config.json', () => changed('config.json', undefined), /folder as it has no config\.json/],
    ['a config.json that is no JSON', () => changed('config.json', new TextEncoder().encode('{')), /config\.json as it holds no JSON/],
    ['a config.json that is a list', () => changed('config.json', jsonBytes([1])), /no JSON object: a list of 1/],
    ['no tokenizer.json', () => changed('tokenizer.json', undefined), /it has no tokenizer\.json/],
    [
      'a tokenizer of another kind',
      () => changed('tokenizer.json', jsonBytes({ model: { type: 'WordLevel' } })),
      /kind is not supported: WordLevel/,
    ],
    ['another architecture', () => withConfig({ architectures: ['GPTJForCausalLM'] }), /architecture is not supported: GPTJForCausalLM/],
    ['quantised weights', () => withConfig({ quantization_config: { quant_method: 'gptq' } }), /weights are quantised/],
    ['another activation', () => withConfig({ hidden_act: 'relu' }), /activation is not supported: relu/],
    ['another rotary scaling', () => withConfig({ rope_scaling: { type: 'dynamic' } }), /rotary scaling is not supported: dynamic/],
    [
      'divisors that are not one a pair',
      () => withConfig({ rope_scaling: { type: 'longrope', long_factor: [1, 2] } }),
      /long_factor is no list of 8/,
    ],
    ['YaRN of another kind', () => withConfig({ rope_scaling: { type: 'yarn', factor: 2, mscale: 1 } }), /not supported: YaRN with mscale/],
    ['heads that are rotated in part', () => withConfig({ partial_rotary_factor: 0.5 }), /rotated, which is not supported: 8 of 16/],
    ['capped logits', () => withConfig({ final_logit_softcapping: 30 }), /soft-capping of logits/],
    [
      'another kind of layer',
      () => withConfig({ sliding_window: 8, layer_types: ['chunked_attention'] }),
      /kind of layer is not supported: chunked_attention/,
    ],
    [
      'a damaged rotary scaling',
      () => withConfig({ rope_scaling: { rope_type: 'llama3', factor: 'x' } }),
      /factor is no positive number: x/,
    ],
    ['no weights', () => changed('model.safetensors', undefined), /it has no file model\.safetensors/],
    ['a missing tensor', () => withTensors((all) => all.slice(1)), /it has no tensor token_embd\.weight/],
    ['an unknown tensor', () => withTensors((all) => [...all, { ...all[0]!, name: 'model.extra' }]), /not supported: model\.extra/],
    [
      'a tensor of whole numbers',
      () => withTensors(([first, ...rest]) => [{ ...first!, dtype: 'I32' }, ...rest]),
      /embed_tokens\.weight has the type I32/,
    ],
    ['heads that do not divide', () => withConfig({ num_attention_heads: 5 }), /are not 5 heads/],
    ['shapes that differ from the settings', () => withConfig({ intermediate_size: 128 }), /ffn_gate\.weight has the shape 64 x 96/],
    ['a missing shard', () => withIndex('model-00009.safetensors'), /it has no file model-00009\.safetensors/],
    ['a shard without its tensor', () => withIndex('model-00001-of-00002.safetensors'), /has no tensor lm_head\.weight/],
    ['an index that leads out of the folder', () => withIndex('../other/model.safetensors'), /no safetensors file: \.\.\/other/],
  ]
  test.each(refusals)('with %s is refused by name', async (_, make, message) => {
    const error = await openDecoder({ runtime: onnxRuntime, source: memoryFolder(make()) }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ModelFileError)
    expect((error as ModelFileError).message).toMatch(message)
  })
})
