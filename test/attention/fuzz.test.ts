import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGgufTokenizer, readConfig, readGguf, readModelFile, readSafetensors, readTensorBytes } from '../../attention/index.ts'
import { ModelFileError } from '../../errors/index.ts'
import { CountingSource, countValues, mutate, type Random, seeded } from './fuzz.ts'
import { tiny } from './tiny-model.ts'
import {
  folderConfig,
  folderTokenizer,
  type FolderTensor,
  jsonBytes,
  memoryFolder,
  safetensorsFile,
  writeSafetensors,
} from './write-folder.ts'
import { writeGguf, type WrittenTensor } from './write-gguf.ts'

const tokens = ['<s>', '</s>', 'a', 'b']

/** A whole model of one layer in some 1,700 bytes. */
function smallestModel(): Uint8Array {
  const shapes: [string, number[]][] = [
    ['token_embd', [4, 4]],
    ['output_norm', [4]],
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'].map((part): [string, number[]] => [
      `blk.0.${part}`,
      [4, 4],
    ]),
    ['blk.0.attn_norm', [4]],
    ['blk.0.ffn_norm', [4]],
  ]
  const tensors = shapes.map(([name, dims]): WrittenTensor => {
    const values = dims.reduce((product, size) => product * size, 1)
    return { name: `${name}.weight`, type: 'F32', dims, bytes: new Uint8Array(4 * values).fill(1) }
  })
  const metadata = {
    'general.architecture': 'llama',
    'llama.block_count': 1,
    'llama.context_length': 16,
    'llama.embedding_length': 4,
    'llama.feed_forward_length': 4,
    'llama.attention.head_count': 2,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.merges': ['a b'],
    'tokenizer.ggml.token_type': [3, 3, 1, 1],
    'tokenizer.ggml.bos_token_id': 0,
    flag: true,
    large: 2n ** 63n,
    real: 0.5,
  }
  return writeGguf({ metadata, tensors })
}

/** `expect` is too slow for what is said a hundred thousand times. */
function atMost(found: number, most: number, what: string): void {
  if (!(found <= most)) throw new Error(`${found} ${what} where ${most} are justified`)
}

/** Everything that is read of a model file before it is computed with. */
async function readAll(source: CountingSource): Promise<'sound'> {
  const file = await readGguf(source)
  let values = 0
  for (const [key, value] of file.metadata) values += countValues(key) + countValues(value)
  atMost(values, source.size, 'values')
  let bytes = 0
  for (const tensor of file.tensors.values()) bytes += tensor.bytes
  atMost(bytes, source.size, 'bytes of tensors')
  // The header is read again from where a value did not fit what was at hand.
  atMost(source.total, 2 * source.size, 'bytes read')
  readConfig(file)
  createGgufTokenizer(file.metadata).encode('ab <s> é')
  for (const tensor of file.tensors.values()) await readTensorBytes(file, tensor)
  return 'sound'
}

/** Runs `read` on `count` changed files; gives how many were sound all the same, and the messages of the others. */
async function fuzz(
  count: number,
  make: () => Uint8Array,
  read: (source: CountingSource) => Promise<unknown>,
): Promise<{ sound: number; messages: Set<string> }> {
  let sound = 0
  const messages = new Set<string>()
  for (let index = 0; index < count; index++) {
    const source = new CountingSource(make())
    try {
      await read(source)
      sound++
    } catch (error) {
      if (!(error instanceof ModelFileError))
        throw new Error(`file ${index} of ${source.size} bytes is not refused by a ModelFileError`, { cause: error })
      messages.add(error.message.replaceAll(/[\d"'`]+|\bas .{0,12}/g, '').slice(0, 60))
    }
    atMost(source.largest, source.size, 'bytes in one read')
  }
  return { sound, messages }
}

describe('a damaged or hostile file', () => {
  // Stacks are most of the cost of an error, and nobody reads a hundred thousand of them.
  const { stackTraceLimit } = Error
  beforeAll(() => void (Error.stackTraceLimit = 0))
  afterAll(() => void (Error.stackTraceLimit = stackTraceLimit))

  test(
    'of GGUF is read or refused by a ModelFileError, and costs no more than its size: 100,000 changes',
    { timeout: 120_000 },
    async () => {
      const model = smallestModel()
      const random = seeded(20_240_601)
      const header = model.length - 9 * 64
      expect(await readAll(new CountingSource(model))).toBe('sound')
      const { sound, messages } = await fuzz(100_000, () => mutate(model, header, random), readAll)
      // Changes of values pass; if all or none did, the fuzzer would test nothing.
      expect(sound).toBeGreaterThan(1000)
      expect(sound).toBeLessThan(50_000)
      expect(messages.size).toBeGreaterThan(30)
    },
  )

  test(
    'of safetensors is read or refused by a ModelFileError, and costs no more than its size: 30,000 changes',
    { timeout: 120_000 },
    async () => {
      const tensors = ['a', 'b', 'c'].map((name): FolderTensor => ({ name, dtype: 'F16', shape: [2, 3], bytes: new Uint8Array(12) }))
      const file = writeSafetensors(tensors)
      const random = seeded(7)
      const read = async (source: CountingSource): Promise<void> => {
        let bytes = 0
        for (const tensor of (await readSafetensors(source)).values()) bytes += tensor.bytes
        atMost(bytes, source.size, 'bytes of tensors')
      }
      const make = (): Uint8Array =>
        random(2) === 0 ? mutate(file, file.length - 36, random) : safetensorsFile(changedText(file, random), [new Uint8Array(36)])
      const { sound, messages } = await fuzz(30_000, make, read)
      expect(sound).toBeGreaterThan(300)
      expect(sound).toBeLessThan(27_000)
      expect(messages.size).toBeGreaterThan(5)
    },
  )

  test('of settings or vocabulary makes a folder read or refused by a ModelFileError: 6,000 changes', { timeout: 120_000 }, async () => {
    const random = seeded(11)
    const weights = writeSafetensors([{ name: 'model.norm.weight', dtype: 'F32', shape: [4], bytes: new Uint8Array(16) }])
    let refused = 0
    for (let index = 0; index < 6000; index++) {
      const config = changedValue({ ...folderConfig(), rope_scaling: { rope_type: 'llama3', factor: 8 } }, random)
      const tokenizer = random(2) === 0 ? folderTokenizer(tokens) : changedValue(folderTokenizer(tokens), random)
      const files = new Map([
        ['config.json', jsonBytes(config)],
        ['tokenizer.json', jsonBytes(tokenizer)],
        ['model.safetensors', weights],
      ])
      const error = await readModelFile(memoryFolder(files)).then(
        ({ tokenizer: made }) => void made.decode(made.encode('ab <s> é')),
        (caught: unknown) => caught,
      )
      if (error !== undefined) refused++
      if (error !== undefined && !(error instanceof ModelFileError))
        throw new Error(`${JSON.stringify(config)} ${JSON.stringify(tokenizer)}`, { cause: error })
    }
    expect(refused).toBeGreaterThan(1000)
    expect(refused).toBeLessThan(6000)
  })
})

describe('readConfig()', () => {
  const sizes = [
    'block_count',
    'context_length',
    'embedding_length',
    'feed_forward_length',
    'attention.head_count',
    'attention.head_count_kv',
    'attention.key_length',
    'rope.dimension_count',
  ]
  const absurd: unknown[] = [0, 3, 5, 7, 1 << 24, 2 ** 31, 2n ** 63n, 0.5, 'x', [1, 2], true, [[]], '']
  test.each(sizes)('reads or refuses any value of llama.%s', async (key) => {
    for (const value of absurd) {
      const file = await readGguf(new CountingSource(withMetadata({ [`llama.${key}`]: value })))
      try {
        expect(readConfig(file).layers).toBe(1)
      } catch (error) {
        expect(error).toBeInstanceOf(ModelFileError)
      }
    }
  })

  function withMetadata(change: Record<string, unknown>): Uint8Array {
    const tensors = [
      { name: 'token_embd.weight', type: 'F32', dims: [tiny.hidden, 4], bytes: new Uint8Array(4 * 4 * tiny.hidden) } as const,
    ]
    const metadata = {
      'general.architecture': 'llama',
      'llama.block_count': 1,
      'llama.context_length': 16,
      'llama.embedding_length': tiny.hidden,
      'llama.feed_forward_length': 4,
      'llama.attention.head_count': 2,
      ...change,
    }
    return writeGguf({ metadata, tensors })
  }
})

const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'null',
  'true',
  '"F32"',
  '"x"',
  '[[[[',
  '{"a":',
  '\\u0000',
  '',
]

/** The JSON of a safetensors file with some of its text replaced. */
function changedText(file: Uint8Array, random: Random): string {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true))
  let text = new TextDecoder().decode(file.subarray(8, 8 + length))
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(text.length)
    text = text.slice(0, at) + pieces[random(pieces.length)]! + text.slice(at + random(6))
  }
  return text
}

const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  3,
  1e9,
  2 ** 53,
  'x',
  '',
  [],
  {},
  [0],
  [['a', 'b', 'c']],
  { a: -1 },
  { type: 'Sequence' },
  { type: 'Split' },
  'ByteLevel',
]

/** A value in which something, at some depth, is another value or gone. */
function changedValue(value: Record<string, unknown>, random: Random): Record<string, unknown> {
  const copy = structuredClone(value)
  let inner: Record<string, unknown> = copy
  for (;;) {
    const keys = Object.keys(inner)
    const key = keys[random(Math.max(1, keys.length))] ?? 'x'
    const next = inner[key]
    if (typeof next === 'object' && next !== null && Object.keys(next).length > 0 && random(3) > 0) {
      inner = next as Record<string, unknown>
      continue
    }
    if (random(6) === 0) delete inner[key]
    else inner[key] = values[random(values.length)]
    return copy
  }
}
