import fc from 'fast-check'
import { unzipSync, zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleFile } from '../../../bench/samples/sample-files.ts'
import { documentFromBytes } from '../../../chunkers/index.ts'
import { DocumentError } from '../../../errors/index.ts'
import { expectSound } from './read.ts'

/** Long for a file of some kilobytes, so that a machine under load does not end it. */
const TIMEOUT = 60_000

/** Damaged files of each format: every one is parsed in a thread of its own, which takes its time to start. */
const RUNS = Number(process.env['SCRIPTORIUM_DAMAGES'] ?? 10)

const rejections: unknown[] = []
const note = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

interface Damage {
  readonly at: number
  readonly how: 'flip' | 'cut' | 'repeat' | 'zero' | 'grow'
  readonly length: number
}

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  how: fc.constantFrom<Damage['how']>('flip', 'cut', 'repeat', 'zero', 'grow'),
  length: fc.integer({ min: 1, max: 40 }),
})

function damaged(bytes: Uint8Array, damages: readonly Damage[]): Buffer {
  let result = Buffer.from(bytes)
  for (const { at, how, length } of damages) {
    const place = Math.floor(at * result.length)
    const [before, part, after] = [result.subarray(0, place), result.subarray(place, place + length), result.subarray(place + length)]
    if (how === 'flip') result = Buffer.concat([before, part.map((byte) => byte ^ 0xff), after])
    else if (how === 'cut') result = Buffer.concat([before, after])
    else if (how === 'repeat') result = Buffer.concat([before, part, part, part, after])
    else if (how === 'zero') result = Buffer.concat([before, Buffer.alloc(part.length), after])
    // Numbers that say how long something is are the ones that cost.
    else
      result = Buffer.from(
        result
          .toString('latin1')
          .replace(/\d+/g, (digits, offset: number) => (offset >= place && offset < place + length ? '999999999' : digits)),
        'latin1',
      )
  }
  return result
}

async function expectTyped(bytes: Uint8Array, name: string): Promise<void> {
  try {
    expectSound(await documentFromBytes(bytes, { name, timeout: TIMEOUT, maxBytes: 20_000_000 }))
  } catch (error) {
    expect(error).toBeInstanceOf(DocumentError)
    expect((error as DocumentError).reason).not.toBe('too-slow')
  }
}

describe('damaged files', { timeout: 300_000 }, () => {
  it.each(['docx', 'epub', 'html', 'mbox', 'pdf', 'pptx'])('of %s are read or refused, in time', async (format) => {
    const { name, bytes } = sampleFile(format, 2_000, 7)
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => expectTyped(damaged(bytes, damages), name)),
      { numRuns: RUNS, seed: 11 },
    )
    expect(rejections).toEqual([])
  })

  it.each(['docx', 'epub', 'pptx', 'xlsx'])('whose parts of %s are damaged inside a sound archive are read or refused', async (format) => {
    const { name, bytes } = sampleFile(format, 2_000, 7)
    const files = unzipSync(bytes)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(files)), fc.array(damage, { minLength: 1, maxLength: 4 }), (part, damages) =>
        expectTyped(zipSync({ ...files, [part]: damaged(files[part]!, damages) }), name),
      ),
      { numRuns: RUNS, seed: 12 },
    )
    expect(rejections).toEqual([])
  })
})
