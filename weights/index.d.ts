/** Size in bytes and SHA-256 (lower-case hexadecimal) of one file. */
export interface ModelFileEntry {
  readonly size: number
  readonly sha256: string
}

export interface ModelEntry {
  /** Name on the Hugging Face hub. */
  readonly source: string
  /** SPDX identifier of the licence. */
  readonly licence: string
  /** Files by name. */
  readonly files: Readonly<Record<string, ModelFileEntry>>
}

/** What this package holds, by model name. */
export declare const models: Readonly<Record<string, ModelEntry>>

/**
 * The path of a file of a model, once it is known to exist and to have its size.
 *
 * @throws RangeError when the package holds no such model or file
 * @throws Error with `code` `MODEL_FILE_MISSING` or `MODEL_FILE_DAMAGED` and `file`, the path
 */
export declare function modelFile(name: string, file: string): Promise<string>

/**
 * Checks size and SHA-256 of every file of a model; a success holds for the life of the process.
 *
 * @throws as `modelFile`; the reason of `signal` when it aborts
 */
export declare function verifyModel(name: string, options?: { readonly signal?: AbortSignal }): Promise<void>
