import { loadOptional, ModelFileError } from '../errors/index.ts'

/**
 * The path of a file of the package `scriptorium-weights`, once the model's files are known to be whole.
 *
 * @throws MissingPackageError when the package is not installed; ModelFileError when a file is missing or damaged
 */
export async function bundledFile(model: string, file: string, signal?: AbortSignal): Promise<string> {
  const need = `open the bundled model ${model}`
  const { modelFile, verifyModel } = await loadOptional('scriptorium-weights', need, () => import('scriptorium-weights'))
  try {
    await verifyModel(model, signal === undefined ? {} : { signal })
    return await modelFile(model, file)
  } catch (cause) {
    signal?.throwIfAborted()
    throw fileError(cause)
  }
}

function fileError(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause
  const file: unknown = Reflect.get(cause, 'file')
  return typeof file === 'string' ? new ModelFileError(cause.message, { file, cause }) : cause
}
