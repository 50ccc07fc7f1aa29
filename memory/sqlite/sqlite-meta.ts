import type BetterSqlite3 from 'better-sqlite3'

export type Database = BetterSqlite3.Database

export function readMeta(database: Database, key: string): string | undefined {
  return database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(key)
}

export function writeMeta(database: Database, key: string, value: string): void {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value)
}
