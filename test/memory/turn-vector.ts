import { chance } from '../../testing/hash.ts'

/** A vector that a turn's id determines. */
export function turnVector(id: string): Float32Array {
  return Float32Array.from({ length: 8 }, (_, at) => chance(`${id}/${at}`) - 0.5)
}
