/** An optional package is not installed. The message holds the install command. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError'
  readonly packageName: string

  constructor(packageName: string, need: string, cause?: unknown) {
    super(`Cannot ${need} as the optional package ${packageName} does not load. Install it with: npm install ${packageName}`, { cause })
    this.packageName = packageName
  }
}

/**
 * Loads an optional package when it is first needed.
 *
 * @param packageName name as on the registry, for the install command
 * @param need what it is needed for, in the words that follow "Cannot"
 * @param load the dynamic import, written at the call so that tools see it
 * @throws MissingPackageError when the import fails
 */
export async function loadOptional<T>(packageName: string, need: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new MissingPackageError(packageName, need, cause)
  }
}
