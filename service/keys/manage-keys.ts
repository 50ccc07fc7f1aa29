/** Making, changing and checking keys, over any store of them. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyStore } from './key-store.ts'
import { isActive, type KeyGrant, RIGHTS, type ServiceKey, type StoredKey } from './service-key.ts'

export interface NewKey extends KeyGrant {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly expiresAt?: number
}

/** A key that was just made. Its token is not kept, and is shown this once. */
export interface IssuedKey {
  readonly key: ServiceKey
  readonly token: string
}

const ID_BYTES = 8
const SECRET_BYTES = 32
const TOKEN = /^scriptorium_([0-9a-f]{16})_([\w-]{43})$/

/** @throws TypeError for a grant that binds a thread and no user, has no right or an unknown one, or for empty names */
export async function issueKey(keys: KeyStore, given: NewKey, now: number): Promise<IssuedKey> {
  checkGrant(given)
  const { name, tenant, user, thread, rights, expiresAt } = given
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const id = randomBytes(ID_BYTES).toString('hex')
  const key: ServiceKey = {
    id,
    name,
    tenant,
    rights: RIGHTS.filter((right) => rights.includes(right)),
    createdAt: now,
    ...(user !== undefined && { user }),
    ...(thread !== undefined && { thread }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
  await keys.put({ ...key, hash: hashSecret(secret).toString('hex') })
  return { key, token: `scriptorium_${id}_${secret}` }
}

function checkGrant({ name, tenant, user, thread, rights }: NewKey): void {
  for (const [field, value] of Object.entries({ name, tenant, user, thread })) {
    if (value?.trim() === '') throw new TypeError(`Cannot make a key as its ${field} is empty`)
  }
  if (thread !== undefined && user === undefined)
    throw new TypeError(`Cannot bind a key to a thread alone as threads are a user's: ${thread}. Name the user too`)
  const unknown = rights.filter((right) => !RIGHTS.includes(right))
  if (rights.length === 0 || unknown.length > 0)
    throw new TypeError(`Cannot make a key with the rights ${JSON.stringify(rights)}: give some of ${RIGHTS.join(', ')}`)
}

/** Refuses a key from now on; gives whether it was accepted before. */
export async function revokeKey(keys: KeyStore, id: string, now: number): Promise<boolean> {
  const key = await keys.get(id)
  if (key === undefined || !isActive(key, now)) return false
  await keys.put({ ...key, revokedAt: now })
  return true
}

/**
 * Makes a key that may do what another may, which is accepted for a while longer, so that both can be in use while its place is taken.
 *
 * @param overlap milliseconds for which the old key is still accepted
 * @returns undefined when the old key is unknown or no longer accepted
 */
export async function rotateKey(keys: KeyStore, id: string, overlap: number, now: number): Promise<IssuedKey | undefined> {
  const old = await keys.get(id)
  if (old === undefined || !isActive(old, now)) return undefined
  const issued = await issueKey(keys, old, now)
  await keys.put({ ...old, expiresAt: Math.min(now + overlap, old.expiresAt ?? Infinity) })
  return issued
}

/** The key of a token; undefined for one that is malformed, unknown, revoked or expired: which of them is nobody's to know. */
export async function verifyToken(keys: KeyStore, token: string, now: number): Promise<ServiceKey | undefined> {
  const [, id, secret] = TOKEN.exec(token) ?? []
  if (id === undefined || secret === undefined) return undefined
  const stored = await keys.get(id)
  // An unknown key takes as long as a wrong secret.
  const expected = Buffer.from(stored?.hash ?? '0'.repeat(64), 'hex')
  const isRight = timingSafeEqual(hashSecret(secret), expected)
  return stored !== undefined && isRight && isActive(stored, now) ? withoutHash(stored) : undefined
}

export function withoutHash({ hash: _hash, ...key }: StoredKey): ServiceKey {
  return key
}

function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
