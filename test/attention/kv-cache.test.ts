import { describe, expect, test } from 'vitest'
import { blockTokens } from '../../attention/cache-block.ts'
import { BlockCache } from '../../attention/kv-cache.ts'

const shape = { layers: 2, kvHeads: 2, headDim: 4 }
const width = shape.kvHeads * shape.headDim

/** Rows [count, width] whose values tell layer, token and place. */
function rows(layer: number, start: number, count: number): Float32Array {
  return Float32Array.from(
    { length: count * width },
    (_, index) => layer * 1e6 + (start + Math.floor(index / width)) * 10 + (index % width),
  )
}

function append(cache: BlockCache, count: number, start = cache.length): void {
  const positions = Int32Array.from({ length: count }, (_, index) => start + index)
  for (let layer = 0; layer < shape.layers; layer++) {
    const keys = rows(layer, start, count)
    cache.append(
      layer,
      keys,
      keys.map((value) => -value),
      positions,
    )
  }
}

/** Rows of a layer as they lie in its blocks, token by token. */
function contents(cache: BlockCache, layer: number): { keys: number[]; values: number[] } {
  const { closed, tail, fill } = cache.view(layer)
  const blocks = [...closed.map((block) => ({ block, count: blockTokens })), ...(tail === undefined ? [] : [{ block: tail, count: fill }])]
  const read = (part: 'keys' | 'values'): number[] =>
    blocks.flatMap(({ block, count }) =>
      Array.from({ length: count * width }, (_, index) => {
        const head = Math.floor((index % width) / shape.headDim)
        return block[part][(head * block.capacity + Math.floor(index / width)) * shape.headDim + (index % shape.headDim)] ?? NaN
      }),
    )
  return { keys: read('keys'), values: read('values') }
}

function expectRows(cache: BlockCache, count: number): void {
  expect(cache.length).toBe(count)
  for (let layer = 0; layer < shape.layers; layer++) {
    const keys = [...rows(layer, 0, count)]
    expect(contents(cache, layer)).toEqual({ keys, values: keys.map((value) => -value) })
  }
}

describe('BlockCache', () => {
  test.each([[[1]], [[64, 1]], [[511, 1, 1]], [[512]], [[513]], [[300, 300, 600]], [Array.from({ length: 70 }, () => 1)]])(
    'holds what was appended in pieces of %j',
    (pieces) => {
      const cache = new BlockCache(shape)
      for (const count of pieces) append(cache, count)
      const total = pieces.reduce((a, b) => a + b, 0)
      expectRows(cache, total)
      expect([...cache.positions]).toEqual([...Array(total).keys()])
    },
  )

  test('reserves less than one step beyond what it holds', () => {
    const cache = new BlockCache(shape)
    append(cache, 520)
    expect(cache.bytes).toBe(shape.layers * 2 * width * 4 * (512 + 64))
    append(cache, 57)
    expect(cache.bytes).toBe(shape.layers * 2 * width * 4 * (512 + 128))
  })

  test('shares blocks with a fork until one of the two writes', () => {
    const cache = new BlockCache(shape)
    append(cache, 600)
    const fork = cache.fork()
    expect(fork.view(0).tail).toBe(cache.view(0).tail)
    append(fork, 1)
    append(cache, 2)
    expect(fork.view(0).closed[0]).toBe(cache.view(0).closed[0])
    expect(fork.view(0).tail).not.toBe(cache.view(0).tail)
    expectRows(fork, 601)
    expectRows(cache, 602)
    fork.dispose()
    expectRows(cache, 602)
  })

  test.each([0, 1, 300, 511, 512, 513, 1024, 1099, 1100])(
    'forgets the tokens from %i on and grows again, without touching a fork',
    (length) => {
      const cache = new BlockCache(shape)
      append(cache, 1100)
      const fork = cache.fork()
      cache.truncate(length)
      expectRows(cache, length)
      append(cache, 1)
      expectRows(cache, length + 1)
      expectRows(fork, 1100)
    },
  )

  test('takes back what a failed run appended to some layers', () => {
    const cache = new BlockCache(shape)
    append(cache, 10)
    cache.append(0, rows(0, 10, 5), rows(0, 10, 5), Int32Array.of(10, 11, 12, 13, 14))
    expect([cache.length, cache.layerLength(1)]).toEqual([15, 10])
    cache.rewind(0, 2, 10)
    expectRows(cache, 10)
  })

  test('refuses positions that differ from layer to layer, and layers out of step', () => {
    const cache = new BlockCache(shape)
    cache.append(0, rows(0, 0, 1), rows(0, 0, 1), Int32Array.of(4))
    expect(() => cache.append(1, rows(1, 0, 1), rows(1, 0, 1), Int32Array.of(5))).toThrow(
      new RangeError('Cannot append position 5 to the cache as earlier layers hold another for token 0: 4'),
    )
    expect(cache.nextPosition).toBe(5)
  })

  test.each([-1, 11, 0.5, NaN])('refuses to truncate 10 tokens to %d', (length) => {
    const cache = new BlockCache(shape)
    append(cache, 10)
    expect(() => cache.truncate(length)).toThrow(RangeError)
  })

  test('cannot be used once disposed of', () => {
    const cache = new BlockCache(shape)
    append(cache, 3)
    cache[Symbol.dispose]()
    expect(cache.bytes).toBe(0)
    expect(() => cache.fork()).toThrow('disposed of')
    expect(() => cache.view(0)).toThrow('disposed of')
  })
})
