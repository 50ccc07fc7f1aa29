/** What a decoder refuses before it runs. */
import type { DecoderConfig } from './decoder.ts'

/** @throws RangeError when a token is not of the vocabulary */
export function checkId(id: number, { vocabulary }: Pick<DecoderConfig, 'vocabulary'>): void {
  if (Number.isInteger(id) && id >= 0 && id < vocabulary) return
  throw new RangeError(`Cannot use token ${id} as ids are whole numbers from 0 to ${vocabulary - 1}`)
}

/** A run of rows through layers `[from, to)`. */
export interface CheckedRun {
  readonly from: number
  readonly to: number
  readonly positions: Int32Array
  /** Absent where it is made of the positions' own tokens. */
  readonly hidden?: Float32Array
}

/** @throws RangeError when there are no such layers, not one hidden row a position, or a position outside of the window */
export function checkRun(
  { from, to, hidden, positions }: CheckedRun,
  { layers, hidden: width, window }: Pick<DecoderConfig, 'layers' | 'hidden' | 'window'>,
): void {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > layers || from >= to) {
    throw new RangeError(`Cannot run layers ${from} to ${to} as the model has ${layers}`)
  }
  if (positions.length === 0 || (hidden !== undefined && hidden.length !== positions.length * width)) {
    throw new RangeError(`Cannot run layers as ${hidden?.length} hidden values are not ${positions.length} rows of ${width}`)
  }
  for (const position of positions) {
    if (position < 0 || position >= window) throw new RangeError(`Cannot run layers as positions go from 0 to ${window - 1}: ${position}`)
  }
}

/** @throws RangeError when a position is not a whole number, or there is not one for each token */
export function placedAt(positions: readonly number[], count: number): Int32Array {
  checkCount('positions', positions, count)
  const wrong = positions.find((position) => !Number.isInteger(position))
  if (wrong !== undefined) throw new RangeError(`Cannot prefill as a position is not a whole number: ${wrong}`)
  return Int32Array.from(positions)
}

/** @throws RangeError when there is not one value for each token */
export function checkCount(what: string, values: readonly number[], count: number): void {
  if (values.length !== count) throw new RangeError(`Cannot prefill as ${values.length} ${what} are not those of ${count} tokens`)
}
