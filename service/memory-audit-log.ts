import type { AuditEntry, AuditLog } from './audit-log.ts'

/** Entries that are kept; older ones go. */
const MOST = 10_000

/** An audit log that is gone with the process. */
export function memoryAuditLog(): AuditLog {
  const entries: (AuditEntry & { readonly number: number })[] = []
  let number = 0
  return {
    async write(entry) {
      entries.push({ ...entry, number: ++number })
      if (entries.length > MOST) entries.shift()
    },
    async list(tenant, { limit, before = Infinity }) {
      return entries
        .filter((entry) => entry.tenant === tenant && entry.number < before)
        .toReversed()
        .slice(0, limit)
    },
  }
}
