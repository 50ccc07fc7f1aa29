import { StoreError } from '../../errors/index.ts'
import type { SqlClient, SqlDatabase } from './postgres-client.ts'

/** A PostgreSQL schema's name, quoted for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * Each brings a schema to the next version. Records are the truth; terms are derived. Every write first raises the one row of `changes`, whose
 * lock it holds until it is committed: numbers of changes become visible in their order, and nobody who goes on from the last one it saw misses
 * one that was given before and committed later.
 */
const migrations: readonly ((schema: string) => string)[] = [
  (schema) => `
  CREATE TABLE ${schema}.meta (key text PRIMARY KEY, value text NOT NULL);
  CREATE TABLE ${schema}.changes (last bigint NOT NULL);
  INSERT INTO ${schema}.changes VALUES (0);
  CREATE TABLE ${schema}.scopes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    change bigint NOT NULL DEFAULT 0,
    removals bigint NOT NULL DEFAULT 0,
    records bigint NOT NULL DEFAULT 0,
    terms bigint NOT NULL DEFAULT 0
  );
  CREATE TABLE ${schema}.records (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope bigint NOT NULL REFERENCES ${schema}.scopes (id),
    id text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    place bigint NOT NULL,
    span_start bigint NOT NULL,
    span_end bigint NOT NULL,
    text text NOT NULL,
    context text,
    vector bytea,
    vector_change bigint,
    kind text,
    role text,
    created_at double precision,
    tokens double precision,
    summary text,
    summary_tokens double precision,
    importance double precision,
    pinned boolean,
    expires_at double precision,
    valid_from double precision,
    valid_to double precision,
    superseded_by text,
    sources jsonb,
    metadata jsonb,
    length integer NOT NULL,
    UNIQUE (scope, id)
  );
  CREATE INDEX records_by_place ON ${schema}.records (scope, document, place);
  CREATE INDEX records_by_change ON ${schema}.records (scope, vector_change) WHERE vector_change IS NOT NULL;
  CREATE INDEX records_without_vector ON ${schema}.records (scope, seq) WHERE vector_change IS NULL;
  CREATE INDEX records_by_expiry ON ${schema}.records (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX records_by_source ON ${schema}.records USING gin (sources) WHERE sources IS NOT NULL;
  CREATE TABLE ${schema}.terms (
    scope bigint NOT NULL,
    term text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    count integer NOT NULL,
    length integer NOT NULL
  );
  CREATE INDEX terms_by_term ON ${schema}.terms (scope, term) INCLUDE (seq, count, length);
  CREATE INDEX terms_by_record ON ${schema}.terms (seq);
  CREATE TABLE ${schema}.uses (
    seq bigint PRIMARY KEY REFERENCES ${schema}.records (seq) ON DELETE CASCADE,
    accesses bigint NOT NULL,
    accessed_at double precision NOT NULL
  );
  CREATE TABLE ${schema}.co_recalls (
    first bigint NOT NULL REFERENCES ${schema}.records (seq) ON DELETE CASCADE,
    second bigint NOT NULL REFERENCES ${schema}.records (seq) ON DELETE CASCADE,
    count bigint NOT NULL,
    PRIMARY KEY (first, second)
  );
  CREATE INDEX co_recalls_by_second ON ${schema}.co_recalls (second);
  CREATE TABLE ${schema}.completed (
    scope bigint NOT NULL REFERENCES ${schema}.scopes (id),
    document text COLLATE "C" NOT NULL,
    version text NOT NULL,
    PRIMARY KEY (scope, document)
  );
  INSERT INTO ${schema}.meta VALUES ('identity', gen_random_uuid()::text);
`,
]

/** Key of the lock under which schemas are made and migrated ("Scri"). */
const migrationLock = 0x53637269

/**
 * Makes the schema or brings it up to date; one process at a time does that.
 *
 * @throws StoreError `mismatch` for a schema of another program, or of a later version than this one knows
 */
export async function migratePostgres(database: SqlDatabase, name: string, label: string): Promise<void> {
  await database.transaction(async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1::int)', [migrationLock])
    const version = await versionOf(client, name, label)
    if (version > migrations.length) {
      throw new StoreError(
        `Cannot open the memory store as its version ${version} is later than this library knows: ${label}. Use a later version of the library`,
        { reason: 'mismatch', store: label },
      )
    }
    for (const [index, migration] of migrations.entries()) {
      if (index < version) continue
      await client.query(`DO $migration$ BEGIN ${migration(client.schema)} END $migration$`)
      await client.query(`INSERT INTO ${client.schema}.migrations VALUES ($1::int, now())`, [index + 1])
    }
  })
}

async function versionOf(client: SqlClient, name: string, label: string): Promise<number> {
  const tables = await client.query<{ table: string }>('SELECT tablename AS table FROM pg_tables WHERE schemaname = $1::text', [name])
  if (tables.length === 0) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${client.schema}`)
    await client.query(`CREATE TABLE ${client.schema}.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL)`)
    return 0
  }
  if (!tables.some(({ table }) => table === 'migrations') || !tables.some(({ table }) => table === 'changes')) {
    throw new StoreError(`Cannot open the memory store as its schema holds tables of another program: ${label}. Choose another schema`, {
      reason: 'mismatch',
      store: label,
    })
  }
  const [row] = await client.query<{ version: number }>(`SELECT max(version) AS version FROM ${client.schema}.migrations`)
  return row?.version ?? 0
}
