/**
 * The tables of version 2. Records are the truth; words, vectors' indexes and all views are derived. A record keeps its `key` for good, and no key
 * is used twice. Every change of a record takes the next number of `changes`, and so does every removal: what derives from the records catches
 * up by those numbers. `vector` is the number of the change that gave the record its vector. Texts have no type, as one with a lone
 * surrogate is a BLOB.
 */
export const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE changes (last INTEGER NOT NULL, epoch INTEGER NOT NULL);
  CREATE TABLE scopes (id INTEGER PRIMARY KEY AUTOINCREMENT, name NOT NULL UNIQUE);
  CREATE TABLE records (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    id NOT NULL,
    document NOT NULL,
    place INTEGER NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    change INTEGER NOT NULL,
    vector INTEGER,
    kind TEXT,
    role TEXT,
    created_at REAL,
    pinned INTEGER,
    expires_at REAL,
    valid_from REAL,
    valid_to REAL,
    superseded_by,
    importance REAL,
    tokens INTEGER,
    summary_tokens INTEGER,
    sources TEXT,
    metadata TEXT,
    context,
    summary,
    text NOT NULL,
    UNIQUE (scope, id)
  );
  CREATE INDEX records_by_place ON records (scope, document, place, created_at);
  CREATE INDEX records_by_change ON records (scope, change);
  CREATE INDEX records_without_vector ON records (scope, key) WHERE vector IS NULL;
  CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE vectors (key INTEGER PRIMARY KEY REFERENCES records (key), scope INTEGER NOT NULL, change INTEGER NOT NULL, vector BLOB NOT NULL);
  CREATE INDEX vectors_by_change ON vectors (scope, change);
  CREATE TABLE removals (change INTEGER PRIMARY KEY, scope INTEGER NOT NULL, key INTEGER NOT NULL);
  CREATE INDEX removals_by_scope ON removals (scope, change);
  CREATE TABLE sources (scope INTEGER NOT NULL, source NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (scope, source, key)) WITHOUT ROWID;
  CREATE TABLE uses (key INTEGER PRIMARY KEY REFERENCES records (key), accesses INTEGER NOT NULL, accessed_at REAL NOT NULL);
  CREATE TABLE recalls (key INTEGER NOT NULL, other INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (key, other)) WITHOUT ROWID;
  CREATE TABLE completed (scope INTEGER NOT NULL, document NOT NULL, version TEXT NOT NULL, PRIMARY KEY (scope, document)) WITHOUT ROWID;
  INSERT INTO changes VALUES (0, 0);
`

/** A new file's own name, by which a derived file beside it is known to be its. */
export const identitySql: string = `INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))))`

/**
 * From version 1, which had one vector index for the whole file, vectors inside the records, and no more than passages. Its `seq` becomes both
 * the key and the number of the change, so that the word index, which holds keys, stays as it is.
 */
export const fromVersion1: string = `
  ALTER TABLE meta RENAME TO meta_1;
  ALTER TABLE scopes RENAME TO scopes_1;
  ALTER TABLE records RENAME TO records_1;
  ALTER TABLE completed RENAME TO completed_1;
  DROP INDEX records_by_place;
  DROP INDEX records_with_vector;
  ${schema}
  INSERT INTO meta SELECT key, value FROM meta_1;
  INSERT INTO scopes (id, name) SELECT id, name FROM scopes_1;
  INSERT INTO records (key, scope, id, document, place, span_start, span_end, change, vector, context, text)
    SELECT seq, scope, id, document, place, span_start, span_end, seq, iif(vector IS NULL, NULL, seq), context, text FROM records_1 ORDER BY seq;
  INSERT INTO vectors (key, scope, change, vector) SELECT seq, scope, seq, vector FROM records_1 WHERE vector IS NOT NULL ORDER BY seq;
  INSERT INTO completed SELECT scope, document, version FROM completed_1;
  UPDATE changes SET last = (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'records_1');
  UPDATE sqlite_sequence SET seq = (SELECT last FROM changes) WHERE name = 'records';
  DROP TABLE records_1;
  DROP TABLE scopes_1;
  DROP TABLE completed_1;
  DROP TABLE meta_1;
`
