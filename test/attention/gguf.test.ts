import { describe, expect, test } from 'vitest'
import { readGguf, readTensorBytes } from '../../attention/index.ts'
import type { DecoderConfig } from '../../attention/index.ts'
import { loadConfig, readConfig } from '../../attention/model-config.ts'
import { ModelFileError } from '../../errors/index.ts'
import { type TinyOptions, tinyMetadata, writeTinyModel } from './tiny-model.ts'
import { join, memorySource, string, uint32, uint64, writeGguf, type WrittenFile } from './write-gguf.ts'

const floats = { name: 'w', type: 'F32', dims: [4, 2], bytes: new Uint8Array(32) } as const

describe('readGguf()', () => {
  test('reads metadata, tensors and their bytes', async () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index)
    const metadata = { text: 'é', whole: 7, real: 0.5, flag: true, large: 2n ** 63n, list: ['a', 'bc'], numbers: [1, 2, 3] }
    const file = await readGguf(memorySource(writeGguf({ metadata, tensors: [{ ...floats, bytes }] })))
    expect(Object.fromEntries(file.metadata)).toEqual(metadata)
    const tensor = file.tensors.get('w')!
    expect(tensor).toMatchObject({ type: 'F32', dims: [4, 2], bytes: 32 })
    expect(await readTensorBytes(file, tensor)).toEqual(bytes)
    expect(await readTensorBytes(file, tensor, 1, 2)).toEqual(bytes.slice(16))
  })

  test('reads version 2 and arrays in arrays', async () => {
    const nested = join([uint32(9), uint32(9), uint64(2n), uint32(4), uint64(1n), uint32(5), uint32(8), uint64(1n), string('x')])
    const file = await readGguf(memorySource(writeGguf({ version: 2, metadata: { nested } })))
    expect(file.version).toBe(2)
    expect(file.metadata.get('nested')).toEqual([[5], ['x']])
  })

  const deep = join([uint32(9), ...Array.from({ length: 8 }, () => [uint32(9), uint64(1n)]).flat(), uint32(4), uint64(0n)])
  const absurd: [string, WrittenFile, RegExp][] = [
    ['the wrong magic', { magic: 'GGML' }, /"GGUF": 0x4c4d4747/],
    ['an unknown version', { version: 99 }, /neither 2 nor 3: 99/],
    ['too many tensors', { tensorCount: 1n << 40n }, /number of tensors .*: 1099511627776/],
    ['a count beyond exact numbers', { tensorCount: (1n << 64n) - 1n }, /18446744073709551615/],
    ['too many metadata entries', { metadataCount: 1n << 33n }, /metadata entries .*: 8589934592/],
    [
      'a string longer than the file',
      { metadata: { a: join([uint32(8), uint64(1n << 50n)]) } },
      /a at byte .* claims 1125899906842624 bytes/,
    ],
    [
      'an array longer than the file',
      { metadata: { a: join([uint32(9), uint32(4), uint64(1n << 45n)]) } },
      /length of a .*: 35184372088832/,
    ],
    [
      'an array in an array longer than the file',
      { metadata: { a: join([uint32(9), uint32(9), uint64(1n), uint32(8), uint64(1n << 44n)]) } },
      /length of a .*: 17592186044416/,
    ],
    ['arrays nested too deep', { metadata: { a: deep } }, /nests arrays deeper than 4/],
    ['an unknown value type', { metadata: { a: uint32(77) } }, /value type that does not exist: 77/],
    ['a mad alignment', { metadata: { 'general.alignment': 3 } }, /general\.alignment .*: 3/],
    ['an unsupported tensor type', { tensors: [{ ...floats, type: 10 }] }, /type Q2_K, which is not supported/],
    ['an unknown tensor type', { tensors: [{ ...floats, type: 999 }] }, /type number 999/],
    ['too many dimensions', { tensors: [{ ...floats, dims: [1, 1, 1, 1, 1] }] }, /dimensions outside 1 to 4: 5/],
    ['an empty dimension', { tensors: [{ ...floats, dims: [0, 4] }] }, /empty dimension/],
    ['a tensor larger than the file', { tensors: [{ ...floats, dims: [1 << 30, 1 << 20] }] }, /larger than the file/],
    ['sizes whose product overflows', { tensors: [{ ...floats, dims: [2 ** 40, 2 ** 40, 2 ** 40] }] }, /larger than the file/],
    ['half a block', { tensors: [{ ...floats, type: 'Q4_1', dims: [33] }] }, /rows of 33 values/],
    ['an offset outside the file', { tensors: [{ ...floats, offset: 1 << 20 }] }, /bytes 1048576 to 1048608/],
    ['an offset between borders', { tensors: [{ ...floats, offset: 5 }] }, /multiple of 32: 5/],
    ['one tensor twice', { tensors: [floats, floats] }, /listed twice/],
  ]
  test.each(absurd)('refuses %s', async (_, file, message) => {
    const reads: number[] = []
    const bytes = writeGguf(file)
    const error = await readGguf(memorySource(bytes, reads)).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ModelFileError)
    expect((error as ModelFileError).message).toMatch(message)
    expect((error as ModelFileError).file).toBe('tiny.gguf')
    expect(Math.max(...reads)).toBeLessThanOrEqual(bytes.length)
  })

  test('refuses a file cut at any place of its header with an error of its own', async () => {
    const bytes = writeGguf({ metadata: { name: 'abc', list: ['a', 'b'] }, tensors: [floats] })
    for (let length = 0; length < bytes.length; length++) {
      await expect(readGguf(memorySource(bytes.slice(0, length)))).rejects.toThrow(ModelFileError)
    }
  })

  test('never fails otherwise than with a ModelFileError when bytes are changed', async () => {
    const bytes = writeGguf({ metadata: { name: 'abc', list: ['a', 'b'], n: 5 }, tensors: [floats] })
    let refused = 0
    for (let index = 0; index < bytes.length - 32; index++) {
      for (const value of [0, 1, 127, 255]) {
        const changed = bytes.slice()
        changed[index] = value
        const error = await readGguf(memorySource(changed)).then(
          () => undefined,
          (caught: unknown) => caught,
        )
        if (error !== undefined) refused++
        expect(error === undefined || error instanceof ModelFileError).toBe(true)
      }
    }
    expect(refused).toBeGreaterThan(50)
  })
})

describe('readConfig()', () => {
  const open = async (metadata: Record<string, unknown>): Promise<unknown> =>
    readConfig(await readGguf(memorySource(writeTinyModel({ metadata }))))

  test('gives the shape of the model', async () => {
    expect(await open({})).toMatchObject({
      architecture: 'llama',
      layers: 3,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      window: 2048,
      weightForm: 'f32',
    })
  })

  const refusals: [string, Record<string, unknown>, RegExp][] = [
    ['another architecture', { 'general.architecture': 'gpt-j' }, /architecture is not supported: gpt-j/],
    ['a size that is no number', { 'llama.block_count': 'many' }, /llama\.block_count .*: many/],
    ['an absurd size', { 'llama.context_length': 2 ** 31 }, /llama\.context_length .*: 2147483648/],
    ['heads that do not divide', { 'llama.attention.head_count_kv': 3 }, /3 key\/value heads do not divide 4/],
    ['more layers than tensors', { 'llama.block_count': 4 }, /no tensor blk\.3\.attn_norm\.weight/],
    ['fewer layers than tensors', { 'llama.block_count': 2 }, /tensor that is not supported: blk\.2/],
    ['shapes that differ from the metadata', { 'llama.feed_forward_length': 128 }, /ffn_gate\.weight has the shape 64 x 96/],
    ['rotary scaling that is not known', { 'llama.rope.scaling.type': 'dynamic' }, /rotary scaling is not supported: dynamic/],
    ['experts', { 'llama.expert_count': 8 }, /mixtures of experts \(expert_count\)/],
    ['soft-capped scores', { 'llama.attn_logit_softcapping': 50 }, /soft-capping of attention scores \(attn_logit_softcapping\)/],
    ['soft-capped logits', { 'llama.final_logit_softcapping': 30 }, /soft-capping of logits \(final_logit_softcapping\)/],
    ['clamped values', { 'llama.attention.clamp_kqv': 8 }, /clamped queries, keys and values/],
    ['attention to later tokens', { 'llama.attention.causal': false }, /attention to later tokens/],
    ['LongRoPE without its tensors', { 'llama.rope.scaling.type': 'longrope' }, /no tensor rope_factors_long\.weight/],
    ['a factor that cannot be', { 'llama.rope.scaling.factor': -4.5 }, /rope\.scaling\.factor is not a positive number: -4\.5/],
    [
      'partly extrapolating YaRN',
      { 'llama.rope.scaling.type': 'yarn', 'llama.rope.scaling.yarn_ext_factor': 0.5 },
      /extrapolation factor .*: 0\.5/,
    ],
    [
      'a list of windows for other layers',
      { 'llama.attention.sliding_window': 8, 'llama.attention.sliding_window_pattern': [true, false] },
      /sliding_window_pattern is not a list of 3 truth values/,
    ],
    ['half-rotated heads', { 'llama.rope.dimension_count': 8 }, /8 of 16/],
  ]
  test.each(refusals)('refuses %s', async (_, metadata, message) => {
    const error = await open(metadata).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ModelFileError)
    expect((error as ModelFileError).message).toMatch(message)
  })

  const forms: [string, TinyOptions, string][] = [
    ['plain', {}, 'neighbours, base 10000'],
    ['linear', { metadata: { '.rope.scaling.factor': 4 } }, 'neighbours, base 10000, linear 4'],
    ['the older name of linear', { metadata: { '.rope.scale_linear': 2 } }, 'neighbours, base 10000, linear 2'],
    [
      'YaRN',
      { metadata: { '.rope.scaling.type': 'yarn', '.rope.scaling.factor': 1, '.rope.scaling.original_context_length': 512 } },
      'neighbours, base 10000, yarn 1 from 512 (32, 1)',
    ],
    ['halves', { architecture: 'qwen2', metadata: { '.rope.freq_base': 5 } }, 'halves, base 5'],
    [
      'two bases',
      { architecture: 'gemma3', metadata: { '.attention.sliding_window': 8, '.rope.freq_base': 1_000_000 } },
      'halves, base 1000000; sliding layers: base 10000',
    ],
    ['ALiBi', { metadata: { '.attention.max_alibi_bias': 8 } }, 'alibi 8'],
  ]
  test.each(forms)('says in full how %s rotates', async (_, options, form) => {
    const file = await readGguf(memorySource(writeTinyModel(options)))
    expect(readConfig(file).ropeForm).toBe(form)
    expect((await loadConfig(file)).ropeForm).toBe(form)
  })

  test('tells divisors apart, and refuses those that are not positive', async () => {
    const formOf = async (divisors: readonly number[]): Promise<string> => {
      const bytes = new Uint8Array(Float32Array.from(divisors).buffer)
      const extraTensors = [{ name: 'rope_freqs.weight', type: 'F32', dims: [divisors.length], bytes } as const]
      return (await loadConfig(await readGguf(memorySource(writeTinyModel({ extraTensors }))))).ropeForm
    }
    const ones = await formOf([1, 1, 1, 1, 1, 1, 1, 1])
    expect(ones).toMatch(/^neighbours, base 10000, divisors [0-9a-f]{8}$/)
    expect(await formOf([1, 1, 1, 1, 1, 1, 1, 2])).not.toBe(ones)
    await expect(formOf([1, 1, 1, 0, 1, 1, 1, 1])).rejects.toThrow('divisor that is not a positive number: 0')
    await expect(formOf([1, 1, 1, 1])).rejects.toThrow('rope_freqs.weight has the shape 4 and its metadata ask for 8')
  })

  test('gives five of six layers of gemma3 the window, and the largest of its kind a scale of its own', async () => {
    const metadata = { '.attention.sliding_window': 8 }
    const shape = { layers: 7, hidden: 32, heads: 1, kvHeads: 1, feedForward: 32 }
    const openLayers = async (layers: number): Promise<DecoderConfig> =>
      readConfig(await readGguf(memorySource(writeTinyModel({ architecture: 'gemma3', metadata, shape: { ...shape, layers } }))))
    expect((await openLayers(7)).slidingLayers).toEqual([true, true, true, true, true, false, true])
    expect((await openLayers(7)).queryScale).toBe(1)
    expect((await openLayers(62)).queryScale).toBeCloseTo(Math.sqrt(16 / 32), 12)
  })

  test('refuses a window where the architecture is not known to have one, and a tensor that is missing', async () => {
    const openTinyConfig = async (options: TinyOptions): Promise<DecoderConfig> =>
      readConfig(await readGguf(memorySource(writeTinyModel(options))))
    await expect(openTinyConfig({ architecture: 'qwen3', metadata: { '.attention.sliding_window': 8 } })).rejects.toThrow(
      'a sliding window',
    )
    await expect(openTinyConfig({ metadata: { 'general.architecture': 'qwen2', ...renamed('qwen2') } })).rejects.toThrow(
      'no tensor blk.0.attn_q.bias',
    )
    const bias = { name: 'blk.0.attn_q.bias', type: 'F32', dims: [64], bytes: new Uint8Array(256) } as const
    await expect(openTinyConfig({ extraTensors: [bias] })).rejects.toThrow('tensor that is not supported: blk.0.attn_q.bias')
  })

  test('refuses a file that lacks a key', async () => {
    const { 'llama.block_count': _, ...metadata } = tinyMetadata()
    const tensors = [{ name: 'token_embd.weight', type: 'F32', dims: [64, 96], bytes: new Uint8Array(64 * 96 * 4) } as const]
    const file = await readGguf(memorySource(writeGguf({ metadata, tensors })))
    expect(() => readConfig(file)).toThrow('lack llama.block_count')
  })
})

/** The tiny model's metadata as those of another architecture. */
function renamed(architecture: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tinyMetadata())
      .map(([key, value]) => [key.replace(/^llama/, architecture), value])
      .filter(([key]) => String(key).startsWith(architecture)),
  )
}
