import type { RecordFilter } from '../memory-store.ts'
import type { SqlValue } from './postgres-client.ts'
import { encodeSqlJson, encodeSqlText } from './postgres-values.ts'

/** Values of a statement under way; `add` gives the placeholder. */
export class SqlValues {
  readonly list: SqlValue[] = []

  add(value: SqlValue, type: 'text' | 'float8' | 'bigint' | 'bytea'): string {
    return `$${this.list.push(value)}::${type}`
  }

  /** Texts as an array of SQL. They travel as JSON, so that every driver can send them. */
  texts(values: readonly string[]): string {
    const json = JSON.stringify(values.map((value) => encodeSqlText(value)))
    return `ARRAY(SELECT json_array_elements_text(${this.add(json, 'text')}::json))`
  }

  numbers(values: readonly number[]): string {
    return `ARRAY(SELECT json_array_elements_text(${this.add(JSON.stringify(values), 'text')}::json)::bigint)`
  }
}

/**
 * The conditions of a filter on the table of records, named `r`, without its scope: what `createRecordTest` means, in SQL. Empty where it asks
 * for nothing.
 */
export function filterConditions(filter: RecordFilter, values: SqlValues): string[] {
  const { documentIds, kinds, roles, from, until, validAt, metadata = {}, now } = filter
  const conditions: string[] = []
  if (documentIds) conditions.push(`r.document = ANY (${values.texts(documentIds)})`)
  if (kinds) conditions.push(`coalesce(r.kind, 'passage') = ANY (${values.texts(kinds)})`)
  if (roles) conditions.push(`r.role = ANY (${values.texts(roles)})`)
  if (from !== undefined || until !== undefined) conditions.push('r.created_at IS NOT NULL')
  if (from !== undefined) conditions.push(`r.created_at >= ${values.add(from, 'float8')}`)
  if (until !== undefined) conditions.push(`r.created_at < ${values.add(until, 'float8')}`)
  if (validAt !== undefined) conditions.push(...validityConditions(values.add(validAt, 'float8')))
  for (const [field, value] of Object.entries(metadata)) {
    conditions.push(`r.metadata -> ${values.add(encodeSqlText(field), 'text')} = ${values.add(encodeSqlJson(value), 'text')}::jsonb`)
  }
  if (now !== undefined) conditions.push(`NOT coalesce(${expired(values.add(now, 'float8'))}, false)`)
  return conditions
}

/** Whether a record has ceased to be found. */
export function expired(now: string): string {
  return `(r.expires_at <= ${now} AND r.pinned IS NOT TRUE)`
}

function validityConditions(at: string): string[] {
  return [
    `(r.valid_from IS NULL OR r.valid_from <= ${at})`,
    `CASE WHEN r.valid_to IS NOT NULL THEN ${at} < r.valid_to ELSE r.superseded_by IS NULL END`,
  ]
}
