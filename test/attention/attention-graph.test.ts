import { expect, test } from 'vitest'
import { buildAttentionGraph, type AttentionShape } from '../../attention/attention-graph.ts'
import { traitsOf } from '../../attention/architectures.ts'
import type { DecoderConfig } from '../../attention/index.ts'
import { SessionPool } from '../../attention/session-pool.ts'
import { farthest, onnxRuntime } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

const { heads, kvHeads, headDim } = tiny
const config = {
  ...tiny,
  architecture: 'llama',
  traits: traitsOf('llama')!,
  name: 'tiny',
  window: 64,
  ropeBase: 1e4,
  rope: { base: 1e4, factor: 1, magnitude: 1 },
  ropeForm: 'neighbours, base 10000',
  slidingLayers: [],
  queryScale: 1,
  alibiBias: 0,
  normEpsilon: 1e-5,
  weightForm: 'f32',
} satisfies DecoderConfig
const hidden = -1e30

function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(seed + index * 1.7) * 2)
}

const count = 7
const fill = 5
const capacity = 8
const block = 6
const rows = { q: values(count * heads * headDim, 1), k: values(count * kvHeads * headDim, 2), v: values(count * kvHeads * headDim, 3) }
const closed = [0, 1].map((index) => ({ k: values(kvHeads * block * headDim, 4 + index), v: values(kvHeads * block * headDim, 6 + index) }))
// Slack rows hold large values, which must not be seen.
const tail = { k: slack(values(kvHeads * capacity * headDim, 8)), v: slack(values(kvHeads * capacity * headDim, 9)) }

function slack(rowsOfTail: Float32Array): Float32Array {
  return rowsOfTail.map((value, index) => (Math.floor(index / headDim) % capacity < fill ? value : 1e6))
}

/** Attention by its definition, one query head at a time, over the keys that each token may see. */
function expected(before: readonly { readonly k: Float32Array; readonly v: Float32Array }[] = closed): Float32Array {
  const result = new Float32Array(count * heads * headDim)
  const row = (data: Float32Array, at: number): Float32Array => data.subarray(at * headDim, (at + 1) * headDim)
  for (let token = 0; token < count; token++) {
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / (heads / kvHeads))
      const past = (part: 'k' | 'v'): Float32Array[] => [
        ...before.flatMap((one) => Array.from({ length: block }, (_, at) => row(one[part], kv * block + at))),
        ...Array.from({ length: fill }, (_, at) => row(tail[part], kv * capacity + at)),
        ...Array.from({ length: token + 1 }, (_, at) => row(rows[part], at * kvHeads + kv)),
      ]
      const query = row(rows.q, token * heads + head)
      const weights = past('k').map((key) => Math.exp(key.reduce((sum, value, at) => sum + value * query[at]!, 0) / Math.sqrt(headDim)))
      const total = weights.reduce((a, b) => a + b)
      for (const [index, value] of past('v').entries()) {
        for (let at = 0; at < headDim; at++) result[(token * heads + head) * headDim + at]! += (weights[index]! / total) * value[at]!
      }
    }
  }
  return result
}

/** The past as a slab: closed blocks, then the filled rows of the tail, head by head. */
function slabOf(part: 'k' | 'v'): Float32Array {
  const tokens = 2 * block + fill
  const slab = new Float32Array(kvHeads * tokens * headDim)
  const copy = (data: Float32Array, size: number, start: number, length: number): void => {
    for (let head = 0; head < kvHeads; head++) {
      const from = head * size * headDim
      slab.set(data.subarray(from, from + length * headDim), (head * tokens + start) * headDim)
    }
  }
  for (const [index, one] of closed.entries()) copy(one[part], block, index * block, block)
  copy(tail[part], capacity, 2 * block, fill)
  return slab
}

const shapes: AttentionShape[] = [
  { form: 'rows', blocks: 2, tail: true },
  { form: 'slab', past: true, parts: 1 },
  { form: 'slab', past: true, parts: 2 },
  { form: 'slab', past: true, parts: 4 },
]
test.each(shapes)('attention in the form %j is attention by its definition, and slack rows are not seen', async (shape) => {
  const pool = new SessionPool(onnxRuntime, 1)
  const session = await pool.open(buildAttentionGraph(config, shape))
  const isRows = shape.form === 'rows'
  const width = isRows ? capacity + count : count
  const copies = isRows ? heads / kvHeads : 1
  const mask = Float32Array.from({ length: copies * count * width }, (_, index) => {
    const key = (index % width) - (width - count)
    const token = Math.floor(index / width) % count
    return key < 0 ? (key + capacity < fill ? 0 : hidden) : key <= token ? 0 : hidden
  })
  const blockDims = [kvHeads, 1, block, headDim]
  const slabDims = [kvHeads, 2 * block + fill, headDim]
  const past = isRows
    ? {
        k0: pool.floats(closed[0]!.k, blockDims),
        v0: pool.floats(closed[0]!.v, blockDims),
        k1: pool.floats(closed[1]!.k, blockDims),
        v1: pool.floats(closed[1]!.v, blockDims),
        kt: pool.floats(tail.k, [kvHeads, 1, capacity, headDim]),
        vt: pool.floats(tail.v, [kvHeads, 1, capacity, headDim]),
      }
    : { pk: pool.floats(slabOf('k'), slabDims), pv: pool.floats(slabOf('v'), slabDims) }
  const { a } = await pool.run(
    session,
    {
      q: pool.floats(rows.q, [count, heads * headDim]),
      k: pool.floats(rows.k, [count, kvHeads * headDim]),
      v: pool.floats(rows.v, [count, kvHeads * headDim]),
      mask: pool.floats(mask, isRows ? [1, 1, copies * count, width] : [1, 1, count, width]),
      ...past,
    },
    ['a'],
  )
  expect(farthest(a, expected())).toBeLessThan(1e-4)
  await pool.release()
})

test.each([2, 0])(
  'attention of one token whose key is in the tail, beside %i closed blocks, is attention by its definition',
  async (blocks) => {
    const pool = new SessionPool(onnxRuntime, 1)
    const session = await pool.open(buildAttentionGraph(config, { form: 'token', blocks, tail: true }))
    const grown = (part: 'k' | 'v'): Float32Array =>
      tail[part].map((value, index) => {
        const [head, at] = [Math.floor(index / (capacity * headDim)), Math.floor(index / headDim) % capacity]
        return at === fill ? rows[part][head * headDim + (index % headDim)]! : value
      })
    const blockDims = [kvHeads, 1, block, headDim]
    const feeds = Object.fromEntries(
      closed.slice(0, blocks).flatMap(({ k, v }, index) => [
        [`k${index}`, pool.floats(k, blockDims)],
        [`v${index}`, pool.floats(v, blockDims)],
      ]),
    )
    const q = rows.q.subarray(0, heads * headDim)
    const { a } = await pool.run(
      session,
      {
        ...feeds,
        q: pool.floats(q, [1, heads * headDim]),
        kt: pool.floats(grown('k'), [kvHeads, 1, capacity, headDim]),
        vt: pool.floats(grown('v'), [kvHeads, 1, capacity, headDim]),
        mask: pool.floats(new Float32Array(capacity).fill(hidden, fill + 1), [1, 1, 1, capacity]),
      },
      ['a'],
    )
    expect(farthest(a, expected(closed.slice(0, blocks)).subarray(0, heads * headDim))).toBeLessThan(1e-4)
    await pool.release()
  },
)
