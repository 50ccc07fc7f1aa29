/** Whose memory it is. */
export interface Owner {
  readonly tenant: string
  readonly user: string
}

/** The scope of the store that holds a user's memory. Two owners never have one scope: JSON tells where each name ends. */
export function scopeOf({ tenant, user }: Owner): string {
  return JSON.stringify([tenant, user])
}

/** The owner of a scope; undefined for scopes that are not of the service. */
export function ownerOf(scope: string): Owner | undefined {
  try {
    const names: unknown = JSON.parse(scope)
    if (!Array.isArray(names) || names.length !== 2) return undefined
    const [tenant, user] = names as unknown[]
    return typeof tenant === 'string' && typeof user === 'string' && scopeOf({ tenant, user }) === scope ? { tenant, user } : undefined
  } catch {
    return undefined
  }
}

/** What the scopes of a tenant begin with, and no others. */
export function tenantPrefix(tenant: string): string {
  return `[${JSON.stringify(tenant)},`
}
