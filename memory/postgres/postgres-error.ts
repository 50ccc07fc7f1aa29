import { errorCode, MissingPackageError, StoreError, type StoreErrorReason } from '../../errors/index.ts'

/** By SQLSTATE (PostgreSQL's documentation, appendix A), the driver's codes and the system's. */
const reasons: readonly (readonly [RegExp, StoreErrorReason])[] = [
  [/^(25006|42501)$/, 'read-only'],
  [/^(53100|53200)$/, 'full'],
  [/^(XX001|XX002)$/, 'corrupt'],
  [/^(40001|40P01|53300|55P03|57014)$/, 'busy'],
  [/^CONNECTION_ENDED$/, 'closed'],
  [
    /^(3D000|CONNECT_TIMEOUT|CONNECTION_CLOSED|CONNECTION_DESTROYED|ECONN\w+|ENOTFOUND|EAI_AGAIN|ENOENT|EHOSTUNREACH|ETIMEDOUT|57P0\d)$/,
    'missing',
  ],
  [/^[0-9A-Z]{5}$/, 'unknown'],
]

const hints: Readonly<Partial<Record<StoreErrorReason, string>>> = {
  'read-only': 'Grant the role what it lacks, or connect to the primary server',
  full: 'Free space on the server',
  corrupt: 'Restore a copy of the database',
  busy: 'Try again when the server has less to do',
  closed: 'Open the store again',
  missing: 'Start the server, create the database, or check the address',
}

/** Turns what the driver throws into a StoreError that names the store, never its password; other errors pass as they are. */
export function toPostgresError(cause: unknown, action: string, store: string): unknown {
  if (cause instanceof StoreError || cause instanceof MissingPackageError || !(cause instanceof Error)) return cause
  const code = errorCode(cause)
  const reason = reasons.find(([pattern]) => pattern.test(code))?.[1]
  if (!reason) return cause
  const message = cause.message === '' ? code : cause.message
  return new StoreError(`Cannot ${action} as ${message}: ${store}. ${hints[reason] ?? 'The cause says more'}`, { reason, store, cause })
}

/** The address without user and password, and the schema. */
export function labelOf(url: string, schema: string): string {
  const { host, pathname } = new URL(url)
  return `postgres://${host}${pathname}#${schema}`
}
