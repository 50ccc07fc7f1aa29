/** A block of keys and values, and how rows go in and out of it. */
import type { CacheRows } from './decoder.ts'

/** Tokens of a closed block. */
export const blockTokens = 512

/** Rotated keys and values of one layer, each [kvHeads, capacity, headDim]. */
export interface CacheBlock {
  readonly keys: Float32Array
  readonly values: Float32Array
  readonly capacity: number
}

export interface CacheShape {
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
}

export function createBlock({ kvHeads, headDim }: CacheShape, capacity: number): CacheBlock {
  const size = kvHeads * capacity * headDim
  return { keys: new Float32Array(size), values: new Float32Array(size), capacity }
}

/** Bytes of different blocks. */
export function bytesOfBlocks(blocks: Iterable<CacheBlock>): number {
  let bytes = 0
  for (const { keys, values } of new Set(blocks)) bytes += keys.byteLength + values.byteLength
  return bytes
}

/** Copies the first `tokens` of a block to another. */
export function copyBlock(from: CacheBlock, to: CacheBlock, tokens: number, { kvHeads, headDim }: CacheShape): void {
  for (let head = 0; head < kvHeads; head++) {
    const start = head * from.capacity * headDim
    const target = head * to.capacity * headDim
    to.keys.set(from.keys.subarray(start, start + tokens * headDim), target)
    to.values.set(from.values.subarray(start, start + tokens * headDim), target)
  }
}

/** Copies the first `tokens` of a block to rows `start` and on. */
export function readBlock(block: CacheBlock, tokens: number, rows: CacheRows, start: number, { kvHeads, headDim }: CacheShape): void {
  for (let token = 0; token < tokens; token++) {
    for (let head = 0; head < kvHeads; head++) {
      const from = (head * block.capacity + token) * headDim
      const to = ((start + token) * kvHeads + head) * headDim
      rows.keys.set(block.keys.subarray(from, from + headDim), to)
      rows.values.set(block.values.subarray(from, from + headDim), to)
    }
  }
}

/** Copies `count` rows, from row `from` on, to a block's tokens `start` and on. */
export function writeBlock(
  block: CacheBlock,
  start: number,
  rows: CacheRows,
  from: number,
  count: number,
  { kvHeads, headDim }: CacheShape,
): void {
  for (let row = 0; row < count; row++) {
    for (let head = 0; head < kvHeads; head++) {
      const at = ((from + row) * kvHeads + head) * headDim
      const to = (head * block.capacity + start + row) * headDim
      block.keys.set(rows.keys.subarray(at, at + headDim), to)
      block.values.set(rows.values.subarray(at, at + headDim), to)
    }
  }
}
