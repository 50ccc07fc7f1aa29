import {
  issueKey,
  type IssuedKey,
  type KeyStore,
  openServiceFile,
  revokeKey,
  type Right,
  rotateKey,
  type ServiceKey,
  serviceFilePath,
} from '../service/index.ts'
import type { CommonFlags } from './options.ts'
import { makeFolder, serviceFolder } from './store.ts'
import { printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

export interface ListKeysFlags extends CommonFlags {
  readonly json?: boolean
}

export interface AddKeyFlags extends ListKeysFlags {
  readonly tenant: string
  readonly user?: string
  readonly thread?: string
  readonly right?: readonly string[]
  readonly name: string
  readonly days?: number
}

export interface RotateFlags extends ListKeysFlags {
  readonly hours: number
}

const HOUR = 60 * 60 * 1000

export async function addKey(flags: AddKeyFlags, terminal: Terminal): Promise<void> {
  const { tenant, user, thread, right = ['read', 'write'], name, days } = flags
  const now = Date.now()
  const given = {
    name,
    tenant,
    rights: right as readonly Right[],
    ...(user !== undefined && { user }),
    ...(thread !== undefined && { thread }),
    ...(days !== undefined && { expiresAt: now + days * 24 * HOUR }),
  }
  const issued = await withKeys(flags, terminal, (keys) => issueKey(keys, given, now)).catch((cause: unknown) => {
    throw cause instanceof TypeError ? new UsageError(cause.message, { cause }) : cause
  })
  show(issued, flags, terminal)
}

export async function listKeys(flags: ListKeysFlags, terminal: Terminal): Promise<void> {
  const stored = await withKeys(flags, terminal, (keys) => keys.list())
  const listed = stored.map(({ hash: _hash, ...key }): ServiceKey => key)
  if (flags.json === true) return void terminal.stdout.write(`${JSON.stringify(listed)}\n`)
  for (const key of listed) terminal.stdout.write(`${printable(describe(key, Date.now()))}\n`)
  if (listed.length === 0) terminal.stderr.write('There are no keys\n')
}

export async function revoke(id: string, flags: CommonFlags, terminal: Terminal): Promise<void> {
  const isRevoked = await withKeys(flags, terminal, (keys) => revokeKey(keys, id, Date.now()))
  if (!isRevoked) throw unknownKey(id)
  terminal.stderr.write(`Revoked ${printable(id)}\n`)
}

export async function rotate(id: string, flags: RotateFlags, terminal: Terminal): Promise<void> {
  const issued = await withKeys(flags, terminal, (keys) => rotateKey(keys, id, flags.hours * HOUR, Date.now()))
  if (issued === undefined) throw unknownKey(id)
  show(issued, flags, terminal)
}

async function withKeys<T>(flags: CommonFlags, terminal: Terminal, work: (keys: KeyStore) => Promise<T>): Promise<T> {
  const folder = serviceFolder(flags, terminal)
  await makeFolder(folder)
  await using file = await openServiceFile(serviceFilePath(folder))
  return await work(file.keys)
}

function show({ key, token }: IssuedKey, { json }: ListKeysFlags, terminal: Terminal): void {
  if (json === true) return void terminal.stdout.write(`${JSON.stringify({ ...key, token })}\n`)
  terminal.stdout.write(`${token}\n`)
  terminal.stderr.write(`This is shown once. ${printable(describe(key, Date.now()))}\n`)
}

function describe({ id, name, tenant, user, thread, rights, expiresAt, revokedAt }: ServiceKey, now: number): string {
  const bound = [`tenant ${tenant}`, ...(user === undefined ? [] : [`user ${user}`]), ...(thread === undefined ? [] : [`thread ${thread}`])]
  const until = expiresAt === undefined ? [] : [`${expiresAt <= now ? 'expired' : 'expires'} ${new Date(expiresAt).toISOString()}`]
  const ended = revokedAt === undefined ? until : [`revoked ${new Date(revokedAt).toISOString()}`]
  return [id, name, bound.join(', '), rights.join(' and '), ...ended].join('; ')
}

function unknownKey(id: string): UsageError {
  return new UsageError(`Cannot find a key in force with this id: ${id}. List keys with: scriptorium serve keys list`)
}
