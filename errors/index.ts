/** Error classes that a caller is expected to catch, and the loader of optional packages. */
export { ContextOverflowError } from './context-overflow-error.ts'
export { DocumentError, type DocumentErrorReason } from './document-error.ts'
export { loadOptional, MissingPackageError } from './missing-package-error.ts'
export { ModelError, type ModelErrorOptions, type ModelErrorReason } from './model-error.ts'
export { ModelFileError } from './model-file-error.ts'
export { RunError } from './run-error.ts'
export { errorCode, storeReason } from './store-reason.ts'
export { StoreError, type StoreErrorReason } from './store-error.ts'
