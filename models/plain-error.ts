import { ConstraintLimitError, DeviceError, MissingPackageError, ModelError, ModelFileError } from '../errors/index.ts'
import type { PlainError } from './local-protocol.ts'

/** The fields of errors that are worth carrying to the other thread. */
const fieldNames = ['file', 'code', 'packageName', 'leastTokens', 'maxTokens', 'device'] as const

/** An error as plain data. */
export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined, fields: {} }
  const fields: Record<string, string | number> = {}
  for (const name of fieldNames) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'string' || typeof value === 'number') fields[name] = value
  }
  return { name: error.name, message: error.message, stack: error.stack, fields }
}

/** The error again, of the class it had where a caller may look for it, else a `ModelError` with the error as its cause. */
export function fromPlain(plain: PlainError, model: string): Error {
  const cause = Object.assign(new Error(plain.message), { name: plain.name, stack: plain.stack })
  switch (plain.name) {
    case 'ModelFileError':
      return new ModelFileError(plain.message, { file: String(plain.fields['file'] ?? model), cause })
    case 'ConstraintLimitError':
      return new ConstraintLimitError(Number(plain.fields['leastTokens']), Number(plain.fields['maxTokens']))
    case 'DeviceError':
      return new DeviceError(plain.message, { device: String(plain.fields['device']), cause })
    case 'MissingPackageError':
      return new MissingPackageError(String(plain.fields['packageName']), 'run a local model', cause)
    case 'RangeError':
      return new RangeError(plain.message, { cause })
    case 'TypeError':
      return new TypeError(plain.message, { cause })
    default:
      return new ModelError(`Cannot run the local model as the engine failed: ${plain.message}`, { reason: 'unknown', model, cause })
  }
}
