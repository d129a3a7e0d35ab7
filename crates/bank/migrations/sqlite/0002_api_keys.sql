-- API keys: revoked, never deleted; what a key is for never changes. The secret is kept only as its hash.
CREATE TABLE api_keys (
    id                BLOB    PRIMARY KEY CHECK (length(id) = 16),
    prefix            TEXT    NOT NULL UNIQUE CHECK (length(prefix) = 8),
    hash              BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    principal         TEXT    NOT NULL
                      CHECK (length(principal) BETWEEN 1 AND 64
                             AND principal NOT GLOB '*[^A-Za-z0-9._:-]*'
                             AND principal NOT GLOB 'internal:*'),
    role              TEXT    NOT NULL CHECK (role IN ('admin', 'banker', 'operations', 'auditor', 'customer')),
    drawer_account_id INTEGER CHECK (drawer_account_id > 0),
    created_at        INTEGER NOT NULL,
    created_by        TEXT    NOT NULL,
    expires_at        INTEGER,
    revoked_at        INTEGER,
    last_used         INTEGER
) STRICT;

CREATE INDEX api_keys_by_principal ON api_keys (principal);

-- The accounts that a customer's key may see.
CREATE TABLE api_key_accounts (
    key_id     BLOB    NOT NULL REFERENCES api_keys (id),
    account_id INTEGER NOT NULL CHECK (account_id > 0),
    PRIMARY KEY (key_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER api_keys_no_replace BEFORE INSERT ON api_keys
WHEN EXISTS (SELECT 1 FROM api_keys WHERE id = NEW.id OR prefix = NEW.prefix OR hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'api_keys: id, prefix and hash are used once'); END;

CREATE TRIGGER api_keys_no_delete BEFORE DELETE ON api_keys
BEGIN SELECT RAISE(ABORT, 'api_keys are revoked, never deleted'); END;

CREATE TRIGGER api_keys_fixed BEFORE UPDATE OF id, prefix, hash, principal, role, created_at, created_by ON api_keys
BEGIN SELECT RAISE(ABORT, 'api_keys: make a new key instead'); END;

CREATE TRIGGER api_keys_stay_revoked BEFORE UPDATE OF revoked_at ON api_keys
WHEN OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at
BEGIN SELECT RAISE(ABORT, 'api_keys: revoked is final'); END;

-- WITHOUT ROWID rows are replaced without a delete trigger as well, but a replaced row here equals the old.
CREATE TRIGGER api_key_accounts_fixed BEFORE UPDATE ON api_key_accounts
BEGIN SELECT RAISE(ABORT, 'api_key_accounts: add and remove rows instead'); END;

-- Audit. last_used is no change and leaves no record.
CREATE TRIGGER api_keys_audit_insert AFTER INSERT ON api_keys
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'create', 'api_key', lower(hex(NEW.id)),
           json_object('prefix', NEW.prefix, 'name', NEW.name, 'principal', NEW.principal, 'role', NEW.role,
                       'drawer_account_id', NEW.drawer_account_id, 'created_by', NEW.created_by,
                       'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at)
      FROM audit_signature;
END;

CREATE TRIGGER api_keys_audit_update AFTER UPDATE OF name, drawer_account_id, expires_at, revoked_at ON api_keys
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin,
           CASE WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN 'revoke' ELSE 'change' END,
           'api_key', lower(hex(NEW.id)),
           json_object('name', OLD.name, 'drawer_account_id', OLD.drawer_account_id,
                       'expires_at', OLD.expires_at, 'revoked_at', OLD.revoked_at),
           json_object('name', NEW.name, 'drawer_account_id', NEW.drawer_account_id,
                       'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at)
      FROM audit_signature;
END;

CREATE TRIGGER api_key_accounts_audit_insert AFTER INSERT ON api_key_accounts
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'add_account', 'api_key', lower(hex(NEW.key_id)),
           json_object('account_id', NEW.account_id)
      FROM audit_signature;
END;

CREATE TRIGGER api_key_accounts_audit_delete AFTER DELETE ON api_key_accounts
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state)
    SELECT at, actor, origin, 'remove_account', 'api_key', lower(hex(OLD.key_id)),
           json_object('account_id', OLD.account_id)
      FROM audit_signature;
END;
