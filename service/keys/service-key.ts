/** What a key may do: see, add, erase; `admin` sees what is the tenant's and not a user's. */
export type Right = 'read' | 'write' | 'erase' | 'admin'

export const RIGHTS: readonly Right[] = ['read', 'write', 'erase', 'admin']

/** What a key is bound to. */
export interface KeyGrant {
  readonly tenant: string
  /** Only this user's memory; any of the tenant's, as the request names it, when left out. */
  readonly user?: string
  /** Only this thread of the user's. */
  readonly thread?: string
  readonly rights: readonly Right[]
}

/** A key without its secret. */
export interface ServiceKey extends KeyGrant {
  /** Public part of the key: it names it in lists and logs. */
  readonly id: string
  /** For people. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** From then on it is refused. */
  readonly expiresAt?: number
  readonly revokedAt?: number
}

/** A key as it is kept: the secret can be checked, and not read back. */
export interface StoredKey extends ServiceKey {
  /** SHA-256 of the secret, hexadecimal. A slow hash would protect no better what has 256 random bits. */
  readonly hash: string
}

/** Whether a key is accepted at a time. */
export function isActive({ expiresAt = Infinity, revokedAt = Infinity }: ServiceKey, now: number): boolean {
  return now < expiresAt && now < revokedAt
}
