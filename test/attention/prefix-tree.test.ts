import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, test } from 'vitest'
import type { KVCache } from '../../attention/index.ts'
import { BlockCache } from '../../attention/kv-cache.ts'
import { PrefixTree } from '../../attention/prefix-tree.ts'

const shape = { layers: 1, kvHeads: 1, headDim: 2 }

/** A cache of `ids`, whose keys are the ids. */
function cacheOf(ids: readonly number[], lastHidden?: number): KVCache {
  const cache = new BlockCache(shape)
  const keys = Float32Array.from(ids.flatMap((id) => [id, id]))
  cache.append(
    0,
    keys,
    keys,
    Int32Array.from(ids, (_, index) => index),
  )
  if (lastHidden !== undefined) cache.lastHidden = Float32Array.of(lastHidden)
  return cache
}

function keysOf(cache: KVCache, length: number): number[] {
  return [...cache.exportRows(0).keys].filter((_, index) => index % 2 === 0).slice(0, length)
}

describe('PrefixTree', () => {
  test('finds the longest start, also where ways part inside of one', () => {
    const tree = new PrefixTree()
    tree.insert([1, 2, 3, 4], cacheOf([1, 2, 3, 4], 4))
    tree.insert([1, 2, 7, 8, 9], cacheOf([1, 2, 7, 8, 9], 9))
    tree.insert([5], cacheOf([5], 5))
    const found = (ids: number[]): [number | undefined, number | undefined] => {
      const match = tree.find(ids)
      return [match?.length, match?.lastHidden?.[0]]
    }
    expect(found([1, 2, 3, 4])).toEqual([4, 4])
    expect(found([1, 2, 3, 4, 5])).toEqual([4, 4])
    expect(found([1, 2, 3])).toEqual([3, undefined])
    expect(found([1, 2, 7, 8, 1])).toEqual([4, undefined])
    expect(found([1, 9])).toEqual([1, undefined])
    expect(found([5, 1])).toEqual([1, 5])
    expect(found([6])).toEqual([undefined, undefined])
    expect(found([])).toEqual([undefined, undefined])
  })

  test('lets a longer sequence serve for its start, whose last hidden row stays known', () => {
    const tree = new PrefixTree()
    const short = cacheOf([1, 2], 2)
    tree.insert([1, 2], short)
    tree.insert([1, 2, 3], cacheOf([1, 2, 3], 3))
    expect(tree.size).toBe(1)
    expect(short.bytes).toBe(0)
    expect(tree.find([1, 2])).toMatchObject({ length: 2, lastHidden: Float32Array.of(2) })
    const again = cacheOf([1], 1)
    tree.insert([1], again)
    expect(again.bytes).toBe(0)
    expect(tree.find([1])).toMatchObject({ length: 1, lastHidden: Float32Array.of(1) })
  })

  test('forgets what was used least lately', () => {
    const tree = new PrefixTree()
    for (const ids of [[1, 1], [1, 2], [3]]) tree.insert(ids, cacheOf(ids))
    tree.find([1, 1])
    expect(tree.evict()).toBe(true)
    expect(tree.find([1, 2])?.length).toBe(1)
    expect(tree.evict()).toBe(true)
    expect(tree.find([3])).toBeUndefined()
    expect(tree.find([1, 1])?.length).toBe(2)
    expect([tree.evict(), tree.evict(), tree.find([1])]).toEqual([true, false, undefined])
  })

  test.each([1, 2, 3])('agrees with a list of sequences, whatever is put in (seed %i)', (seed) => {
    const generator = xoroshiro128plus(seed)
    const sequence = (): number[] => Array.from({ length: 1 + uniformInt(generator, 0, 7) }, () => uniformInt(generator, 0, 2))
    const tree = new PrefixTree()
    const list: number[][] = []
    for (let round = 0; round < 300; round++) {
      const ids = sequence()
      tree.insert(ids, cacheOf(ids))
      list.push(ids)
      const asked = sequence()
      const expected = Math.max(...list.map((known) => commonStart(known, asked)))
      const match = tree.find(asked)
      expect(match?.length ?? 0).toBe(expected)
      if (match !== undefined) expect(keysOf(match.cache, match.length)).toEqual(asked.slice(0, match.length))
    }
    while (tree.evict());
    expect([tree.size, tree.find([0]), tree.find([1]), tree.find([2])]).toEqual([0, undefined, undefined, undefined])
  })
})

function commonStart(left: readonly number[], right: readonly number[]): number {
  let length = 0
  while (length < left.length && length < right.length && left[length] === right[length]) length++
  return length
}
