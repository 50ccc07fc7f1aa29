/** One thing that was done or refused. It holds no text of any memory. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly requestId: string
  /** Id of the key; undefined where the service is open. */
  readonly keyId: string | undefined
  readonly tenant: string
  readonly user: string | undefined
  /** What was asked for, such as `POST /v1/erasures`. */
  readonly action: string
  /** The status that was answered. */
  readonly status: number
}

/** Who did what: erasures, exports, imports, facts set by hand, and what was refused to a key. Turns are their own record. */
export interface AuditLog {
  write(entry: AuditEntry): Promise<void>
  /** Of a tenant, newest first; `before` is the number of an entry. */
  list(tenant: string, options: { readonly limit: number; readonly before?: number }): Promise<(AuditEntry & { readonly number: number })[]>
}
