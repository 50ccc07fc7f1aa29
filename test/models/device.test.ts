import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DeviceChoice } from '../../attention/index.ts'
import { DeviceError } from '../../errors/index.ts'
import { silent } from '../../log/index.ts'
import { findAdapter } from '../../models/gpu-adapter.ts'
import { type LocalModel, openLocalModel } from '../../models/index.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'

let place: string
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'device-'))
  await writeFile(join(place, 'tiny.gguf'), writeTinyModel({ shape: { layers: 1 }, metadata: { 'tokenizer.ggml.add_bos_token': true } }))
})
afterAll(() => rm(place, { recursive: true }))

// Elsewhere nothing can hide the adapter that the machine has.
describe.skipIf(process.platform !== 'linux')('openLocalModel({ device }) where WebGPU has no adapter', () => {
  const scored = [{ prefix: 'abc', text: 'de' }]
  const lines: { fields: object; message: string | undefined }[] = []
  const logger = { ...silent, warn: (fields: object, message?: string) => void lines.push({ fields, message }) }
  const open = (device?: DeviceChoice): Promise<LocalModel> =>
    openLocalModel({ path: join(place, 'tiny.gguf'), threads: 1, logger, ...(device !== undefined && { device }) })
  /** The Vulkan loader and `findAdapter` both look at these. */
  const choose = (driver: string): void => {
    for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) vi.stubEnv(name, join(place, driver))
  }

  beforeEach(() => {
    lines.length = 0
    choose('no-such-driver.json')
  })
  afterEach(() => vi.unstubAllEnvs())

  it.each([undefined, 'cpu'] as const)('runs on the CPU for %s, without a word', async (device) => {
    await using model = await open(device)
    const [found] = await model.logProbs(scored)
    expect(found?.logProb).toBeLessThan(0)
    expect(lines).toEqual([])
  })

  it.each([
    ['a driver that does not load', 'no-such-driver.json', /^Running on the CPU as WebGPU does not run: \S/],
    ['a driver made of software', 'vk_swiftshader_icd.json', /as the WebGPU adapter is made of software: vk_swiftshader_icd.json$/],
  ])('falls back with %s for auto, in one line, to the same results', async (_, driver, line) => {
    choose(driver)
    await using model = await open('auto')
    const found = await model.logProbs(scored)
    await model.logProbs([{ prefix: 'x', text: 'yz' }])
    expect(lines).toHaveLength(1)
    expect(lines[0]?.message).toMatch(line)
    expect(lines[0]?.fields).toMatchObject({ device: 'cpu', wanted: 'auto' })
    await using onCpu = await open('cpu')
    expect(found).toEqual(await onCpu.logProbs(scored))
  })

  it('refuses webgpu with an error of its class, as often as it is asked', async () => {
    await using model = await open('webgpu')
    for (const attempt of [() => model.load(), () => model.logProbs(scored)]) {
      const error: unknown = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(DeviceError)
      expect(error).toMatchObject({ name: 'DeviceError', device: 'webgpu' })
      expect((error as Error).message).toMatch(/^Cannot run on WebGPU as .*open with device 'auto' or 'cpu'$/s)
    }
    expect(lines).toEqual([])
  })

  it('refuses a device that there is not', async () => {
    await using model = await open('gpu' as DeviceChoice)
    await expect(model.load()).rejects.toThrow(new TypeError('Cannot run on a device other than auto, cpu or webgpu: gpu'))
  })
})

describe('findAdapter()', () => {
  it.each([
    ['no driver', [], undefined],
    ['a driver of a card', ['/etc/vulkan/nvidia_icd.json'], { name: 'nvidia_icd.json', isSoftware: false }],
    ['SwiftShader', ['/usr/lib/vk_swiftshader_icd.json'], { name: 'vk_swiftshader_icd.json', isSoftware: true }],
    ['Lavapipe', ['lvp_icd.x86_64.json'], { name: 'lvp_icd.x86_64.json', isSoftware: true }],
    ['a card after software', ['lvp_icd.x86_64.json', 'radeon_icd.json'], { name: 'radeon_icd.json', isSoftware: false }],
  ])('knows %s, chosen or installed', async (name, files, expected) => {
    const folder = join(place, name)
    await mkdir(folder)
    for (const file of [...files, 'README']) await writeFile(join(folder, file.split('/').at(-1) ?? file), '{}')
    expect(await findAdapter({}, [join(place, 'missing'), folder])).toEqual(expected)
    if (files.length === 0) return
    for (const variable of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'])
      expect(await findAdapter({ [variable]: files.join(delimiter) }, [])).toEqual(expected)
  })
})
