import type { StoredKey } from './service-key.ts'

/** Where keys are kept. Keys that were revoked or have expired stay listed. */
export interface KeyStore {
  /** Adds a key, or replaces the one of its id. */
  put(key: StoredKey): Promise<void>
  get(id: string): Promise<StoredKey | undefined>
  /** In order of time. */
  list(): Promise<StoredKey[]>
  /** Whether there never was a key. */
  isEmpty(): Promise<boolean>
}
