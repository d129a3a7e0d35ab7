-- The bank database: whose it is, who is acting, and the record of what was done.

-- A database belongs to one bank. The row is written once, before the file gets its name.
CREATE TABLE bank_identity (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    bank       BLOB    NOT NULL CHECK (length(bank) = 16),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER bank_identity_once BEFORE INSERT ON bank_identity
WHEN EXISTS (SELECT 1 FROM bank_identity)
BEGIN SELECT RAISE(ABORT, 'bank_identity is written once'); END;

CREATE TRIGGER bank_identity_no_update BEFORE UPDATE ON bank_identity
BEGIN SELECT RAISE(ABORT, 'bank_identity is written once'); END;

CREATE TRIGGER bank_identity_no_delete BEFORE DELETE ON bank_identity
BEGIN SELECT RAISE(ABORT, 'bank_identity is written once'); END;

-- Who acts in the db tx that is open now. The service fills the row as the tx begins and empties it before
-- the commit, so that no other connection ever sees it: a change that bypasses the service finds no row and
-- is recorded as made from 'outside'. (A trigger of the main schema cannot read a temporary table.)
CREATE TABLE session_actor (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    actor  TEXT    NOT NULL,
    origin TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

-- Who did what, when (microseconds since 1970), from where, before and after. Append-only.
CREATE TABLE audit_records (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    origin       TEXT,
    action       TEXT    NOT NULL,
    object       TEXT    NOT NULL,
    object_id    TEXT    NOT NULL,
    before_state TEXT CHECK (before_state IS NULL OR json_valid(before_state)),
    after_state  TEXT CHECK (after_state IS NULL OR json_valid(after_state))
) STRICT;

CREATE INDEX audit_records_by_object ON audit_records (object, object_id, id);

-- INSERT OR REPLACE deletes without firing delete triggers, so an id in use is refused here.
CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit_records is append-only'); END;

CREATE TRIGGER audit_records_no_update BEFORE UPDATE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit_records is append-only'); END;

CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit_records is append-only'); END;

-- What a trigger needs to sign a record: always one row. julianday rather than unixepoch('subsec'), which an
-- older sqlite3 on the operator's machine does not know.
CREATE VIEW audit_signature AS
SELECT coalesce((SELECT actor FROM session_actor), 'outside') AS actor,
       (SELECT origin FROM session_actor) AS origin,
       coalesce((SELECT at FROM session_actor),
                CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)) AS at;
