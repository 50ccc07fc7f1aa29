import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Decoder, openDecoder, type OnnxRuntime, type OnnxTensor } from '../../attention/index.ts'
import { chooseDevice } from '../../attention/choose-device.ts'
import { openReference, referenceLogProbs, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { readGguf } from '../../attention/index.ts'
import { DeviceError } from '../../errors/index.ts'
import { silent } from '../../log/index.ts'
import { farthest, onnxRuntime, someIds } from './open-tiny.ts'
import { tiny, type TinyOptions, writeTinyModel } from './tiny-model.ts'
import { memorySource } from './write-gguf.ts'

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(swiftShader)) process.env['VK_ICD_FILENAMES'] = swiftShader

const { vocabulary } = tiny
/** Set where the same tests ran under another version of Node just before. */
const skipsSlow = process.env['SKIP_SLOW_DEVICES'] === '1'
const close = 1e-3
const hasAdapter =
  !skipsSlow &&
  (await chooseDevice(onnxRuntime, { device: 'webgpu' }).then(
    () => true,
    () => false,
  ))

/** Counts the tensors that stay on the device. */
function counted(): { runtime: OnnxRuntime; live: () => number } {
  const live = new Set<OnnxTensor>()
  const watch = (tensor: OnnxTensor): OnnxTensor => {
    if (Reflect.get(tensor, 'location') !== 'gpu-buffer') return tensor
    live.add(tensor)
    const dispose = tensor.dispose.bind(tensor)
    tensor.dispose = () => (live.delete(tensor), dispose())
    return tensor
  }
  const InferenceSession: OnnxRuntime['InferenceSession'] = {
    async create(model, options) {
      const session = await onnxRuntime.InferenceSession.create(model, options)
      const run = session.run.bind(session)
      session.run = async (feeds, settings) => {
        const outputs = await run(feeds, settings)
        for (const output of Object.values(outputs)) watch(output)
        return outputs
      }
      return session
    },
  }
  return { runtime: { ...onnxRuntime, Tensor: onnxRuntime.Tensor, InferenceSession }, live: () => live.size }
}

async function collect(tokens: AsyncIterable<number>): Promise<number[]> {
  const ids: number[] = []
  for await (const id of tokens) ids.push(id)
  return ids
}

// Compiling shaders takes nearly all of the time: weights of the same types share them, as long as one decoder is open.
const types: TinyOptions = { type: 'Q4_1', types: { attn_v: 'Q8_0', ffn_up: 'F16' }, shape: { layers: 2 } }
const distant: [string, TinyOptions][] = [
  ['gemma3 with a sliding window', { ...types, architecture: 'gemma3', metadata: { '.attention.sliding_window': 5 } }],
  ['llama with ALiBi', { ...types, metadata: { '.attention.max_alibi_bias': 8 } }],
  ['ALiBi in a sliding window', { ...types, metadata: { '.attention.max_alibi_bias': 8, '.attention.sliding_window': 5 } }],
]

describe.skipIf(!hasAdapter)(
  'a decoder on WebGPU, with no operator on the CPU (skipped where there is no adapter, and with SKIP_SLOW_DEVICES)',
  { timeout: 300_000 },
  () => {
    let decoder: Decoder
    let onCpu: Decoder
    let reference: ReferenceDecoder
    const { runtime, live } = counted()
    const last = (ids: readonly number[]): Float32Array => reference.forward(ids).logits.slice(-vocabulary)

    beforeAll(async () => {
      const source = memorySource(writeTinyModel(types))
      reference = await openReference(await readGguf(source))
      onCpu = await openDecoder({ runtime: onnxRuntime, source, threads: 1, readForm: 'float32' })
      decoder = await openDecoder({ runtime, source, device: 'webgpu', strictDevice: true })
    }, 300_000)
    afterAll(async () => {
      await decoder.dispose()
      await onCpu.dispose()
    })

    test('computes the logits of the reference, in one piece, in several, and after a fork', async () => {
      using cache = decoder.createCache()
      const ids = someIds(20)
      expect(farthest(await decoder.prefill(ids, cache), last(ids))).toBeLessThan(close)
      using fork = cache.fork()
      expect(farthest(await decoder.prefill([3], cache), last([...ids, 3]))).toBeLessThan(close)
      expect(farthest(await decoder.prefill([5], fork), last([...ids, 5]))).toBeLessThan(close)
    })

    test('scores continuations as the reference does', async () => {
      const prefix = someIds(12)
      const ids = someIds(6, 1)
      const [found] = await decoder.logProbs(prefix, [{ ids }])
      const whole = [...prefix, ...ids]
      const expected = referenceLogProbs(reference.forward(whole).logits, whole, vocabulary).slice(prefix.length - 1)
      expect(farthest(found!, expected)).toBeLessThan(close)
    })

    test('writes the greedy tokens of the CPU, also after a fork', async () => {
      const write = async (by: Decoder): Promise<number[][]> => {
        using cache = by.createCache()
        const logits = new Float32Array(await by.prefill(someIds(7, 2), cache))
        using fork = cache.fork()
        const texts: number[][] = []
        for (const one of [cache, fork]) texts.push(await collect(by.generate(one, logits, { maxTokens: 6 })))
        return texts
      }
      const [first, second] = await write(decoder)
      expect(first).toHaveLength(6)
      expect(second).toEqual(first)
      expect([first, second]).toEqual(await write(onCpu))
    })

    test('keeps closed blocks on the device until their caches are disposed of', async () => {
      const before = live()
      const ids = someIds(514)
      const cache = decoder.createCache()
      using expected = onCpu.createCache()
      expect(farthest(await decoder.prefill(ids, cache), await onCpu.prefill(ids, expected))).toBeLessThan(close)
      const fork = cache.fork()
      expect(farthest(await decoder.prefill([3], fork), await onCpu.prefill([3], expected))).toBeLessThan(close)
      // Keys and values of one block in each layer, shared by the two caches.
      expect(live() - before).toBe(2 * decoder.config.layers)
      cache.dispose()
      await decoder.prefill([4], fork)
      expect(live() - before).toBe(2 * decoder.config.layers)
      fork.dispose()
      using other = decoder.createCache()
      await decoder.prefill([5], other)
      expect(live()).toBe(before)
    })

    test.each(distant)('%s: computes the logits of the reference', async (_, options) => {
      const source = memorySource(writeTinyModel(options))
      const far = await openReference(await readGguf(source))
      await using opened = await openDecoder({ runtime, source, device: 'webgpu', strictDevice: true })
      using cache = opened.createCache()
      const ids = someIds(14)
      for (const end of [9, 10, 14]) {
        const logits = await opened.prefill(ids.slice(cache.length, end), cache)
        expect(farthest(logits, far.forward(ids.slice(0, end)).logits.slice(-vocabulary))).toBeLessThan(close)
      }
    })
  },
)

describe('chooseDevice()', () => {
  const broken: OnnxRuntime = {
    ...onnxRuntime,
    InferenceSession: { create: () => Promise.reject(new Error('x was false. Failed to get a WebGPU adapter: No supported adapters\n')) },
  }
  const lines: string[] = []
  const logger = { ...silent, warn: (_: object, message?: string) => void lines.push(message ?? '') }

  test('takes the CPU when nothing is asked for, without a word', async () => {
    expect(await chooseDevice(broken, { logger })).toBe('cpu')
    expect(lines).toEqual([])
  })

  test.each([
    ['no adapter', broken, undefined, 'No supported adapters'],
    ['an adapter of software', onnxRuntime, { name: 'SwiftShader', isSoftware: true }, 'made of software: SwiftShader'],
  ])('falls back to the CPU with %s, and says so in one line', async (_, runtime, adapter, why) => {
    lines.length = 0
    expect(await chooseDevice(runtime, { device: 'auto', logger, findAdapter: async () => adapter })).toBe('cpu')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(why)
  })

  test('refuses WebGPU without an adapter, and says what to do', async () => {
    const refusal = chooseDevice(broken, { device: 'webgpu' })
    await expect(refusal).rejects.toThrow(DeviceError)
    await expect(refusal).rejects.toThrow(/driver.*device 'auto' or 'cpu'/)
  })
})
