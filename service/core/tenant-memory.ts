import type { AuditEntry, AuditLog } from '../audit-log.ts'
import { ownerOf, tenantPrefix } from './owner.ts'
import type { ServiceCore } from './service-core.ts'

/** What a tenant sees of itself: who its users are and what was done, not what is remembered. */
export interface TenantMemory {
  /** Names of users with memories, in order of scope, behind `after`. */
  users(limit: number, after?: string): Promise<string[]>
  /** Newest first. */
  audit(options: { readonly limit: number; readonly before?: number }): Promise<(AuditEntry & { readonly number: number })[]>
}

export function openTenant({ memory }: ServiceCore, audit: AuditLog, tenant: string): TenantMemory {
  const prefix = tenantPrefix(tenant)
  return {
    async users(limit, after) {
      const scopes = await memory.scopes(limit, after === undefined ? prefix : `${prefix}${JSON.stringify(after)}]`)
      return scopes.filter((scope) => scope.startsWith(prefix)).flatMap((scope) => ownerOf(scope)?.user ?? [])
    },
    audit: (options) => audit.list(tenant, options),
  }
}
