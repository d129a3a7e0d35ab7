-- The audit record as a chain: each hash covers a record and the hash before it (SHA-256, which a trigger cannot
-- compute). The service adds the hashes in the db tx that made the records; for a bank that is older than this
-- table, and for records that other programs caused, when it opens the file or changes it the next time.
CREATE TABLE audit_chain (
    id   INTEGER PRIMARY KEY REFERENCES audit_records (id),
    hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER audit_chain_at_its_end BEFORE INSERT ON audit_chain
WHEN NEW.id <= (SELECT coalesce(max(id), 0) FROM audit_chain)
BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;

CREATE TRIGGER audit_chain_no_update BEFORE UPDATE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;

CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;

-- Numbers come from AUTOINCREMENT, which a rollback takes back: they have no gaps, unless somebody chooses one.
CREATE TRIGGER audit_records_numbered AFTER INSERT ON audit_records
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM audit_records WHERE id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit_records are numbered without gaps'); END;

-- A record is signed with the name of who acts; without the service that is 'outside'.
CREATE TRIGGER audit_records_signed AFTER INSERT ON audit_records
WHEN NEW.actor <> (SELECT actor FROM audit_signature)
BEGIN SELECT RAISE(ABORT, 'audit_records are signed by who acts'); END;
