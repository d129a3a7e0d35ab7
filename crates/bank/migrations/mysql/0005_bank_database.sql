-- The bank database beside the books: API keys and the record of what was done, shared by all services on them.
--
-- Whoever changes anything here holds the row of `audit_head` until the end of the db tx: records are numbered in the
-- order of commits and without gaps, and the hashes of the chain with them. A service takes it first.

CREATE VIEW bank_identity AS SELECT bank_id AS bank FROM ledger_head;

-- Where the books and the bank database were copied from, and whether all of it is here.
CREATE TABLE copied_from (
    one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
    bank_id BINARY(16) NOT NULL,
    timeline INT UNSIGNED NOT NULL,
    -- Microseconds since 1970.
    begun_us BIGINT NOT NULL,
    finished_us BIGINT NULL
) ENGINE = InnoDB;

CREATE TRIGGER copied_from_before_the_bank BEFORE INSERT ON copied_from FOR EACH ROW
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_head) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: there is a bank here already';
    END IF;
END;

CREATE TRIGGER copied_from_finishes BEFORE UPDATE ON copied_from FOR EACH ROW
BEGIN
    IF OLD.finished_us IS NOT NULL OR NEW.bank_id <> OLD.bank_id OR NEW.timeline <> OLD.timeline
        OR NEW.begun_us <> OLD.begun_us THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a copy is finished once';
    END IF;
END;

CREATE TRIGGER copied_from_stays BEFORE DELETE ON copied_from FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: where the books came from is kept';

-- Nobody moves the head before the copy is finished.
CREATE TRIGGER ledger_head_waits BEFORE UPDATE ON ledger_head FOR EACH ROW
BEGIN
    IF EXISTS (SELECT 1 FROM copied_from WHERE finished_us IS NULL) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the books are still being copied here';
    END IF;
END;

-- One row: the newest number given. While `filling`, a trail comes from another home with its own numbers and
-- signatures: possible only as long as there is none here, and seen by nobody before it is all there.
CREATE TABLE audit_head (
    one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
    newest BIGINT NOT NULL,
    filling SMALLINT NOT NULL DEFAULT 0 CHECK (filling IN (0, 1))
) ENGINE = InnoDB;

INSERT INTO audit_head (one, newest) VALUES (1, 0);

CREATE TRIGGER audit_head_rises BEFORE UPDATE ON audit_head FOR EACH ROW
BEGIN
    IF NEW.one <> OLD.one OR NEW.newest NOT IN (OLD.newest, OLD.newest + 1)
        OR (NEW.filling > OLD.filling AND OLD.newest > 0) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records are numbered without gaps';
    END IF;
END;

CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records are numbered without gaps';

-- Who did what, when (microseconds since 1970), from where, before and after. Append-only. A service says who acts in
-- @bankcore_actor, @bankcore_origin and @bankcore_at; whoever does not is 'outside', and what the server knows of
-- them stands in `origin`.
CREATE TABLE audit_records (
    id BIGINT NOT NULL DEFAULT 0 PRIMARY KEY,
    at BIGINT NOT NULL DEFAULT 0,
    actor VARCHAR(255) NOT NULL DEFAULT '',
    origin VARCHAR(255) NULL,
    action VARCHAR(64) NOT NULL,
    object VARCHAR(64) NOT NULL,
    object_id VARCHAR(255) NOT NULL,
    before_state LONGTEXT NULL CHECK (before_state IS NULL OR JSON_VALID(before_state)),
    after_state LONGTEXT NULL CHECK (after_state IS NULL OR JSON_VALID(after_state)),
    KEY audit_records_by_object (object, object_id, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER audit_records_signed BEFORE INSERT ON audit_records FOR EACH ROW
BEGIN
    DECLARE v_newest BIGINT;
    DECLARE v_filling SMALLINT;
    DECLARE v_actor VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    UPDATE audit_head SET newest = newest + 1 WHERE one = 1;
    SELECT newest, filling INTO v_newest, v_filling FROM audit_head WHERE one = 1;
    IF NEW.id <> 0 AND NEW.id <> v_newest THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records are numbered without gaps';
    END IF;
    SET NEW.id = v_newest;
    IF v_filling = 0 THEN
        SET v_actor = COALESCE(@bankcore_actor, 'outside');
        IF NEW.actor <> '' AND NEW.actor <> v_actor THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records are signed by who acts';
        END IF;
        SET NEW.actor = v_actor;
        SET NEW.origin = COALESCE(@bankcore_origin, LEFT(CONCAT(USER(), ', connection ', CONNECTION_ID()), 255));
        SET NEW.at = COALESCE(@bankcore_at, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED));
    END IF;
END;

CREATE TRIGGER audit_records_unchanged BEFORE UPDATE ON audit_records FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records is append-only';

CREATE TRIGGER audit_records_stay BEFORE DELETE ON audit_records FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_records is append-only';

-- The hashes of the records: each covers a record and the hash before it. A service adds them in the db tx that made
-- the records, and to what others caused when it next changes something.
CREATE TABLE audit_chain (
    id BIGINT NOT NULL PRIMARY KEY,
    hash BINARY(32) NOT NULL,
    CONSTRAINT chain_record FOREIGN KEY (id) REFERENCES audit_records (id)
) ENGINE = InnoDB;

CREATE TRIGGER audit_chain_at_its_end BEFORE INSERT ON audit_chain FOR EACH ROW
BEGIN
    IF NEW.id <= (SELECT COALESCE(MAX(id), 0) FROM audit_chain) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_chain is append-only';
    END IF;
END;

CREATE TRIGGER audit_chain_unchanged BEFORE UPDATE ON audit_chain FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_chain is append-only';

CREATE TRIGGER audit_chain_stays BEFORE DELETE ON audit_chain FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: audit_chain is append-only';

-- API keys: revoked, never deleted; what a key is for never changes. The secret is kept only as its hash.
CREATE TABLE api_keys (
    id BINARY(16) NOT NULL PRIMARY KEY,
    prefix VARCHAR(8) NOT NULL UNIQUE CHECK (CHAR_LENGTH(prefix) = 8),
    hash BINARY(32) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL CHECK (CHAR_LENGTH(name) BETWEEN 1 AND 100),
    principal VARCHAR(64) NOT NULL CHECK (principal REGEXP '^[A-Za-z0-9._:-]+$' AND principal NOT LIKE 'internal:%'),
    role VARCHAR(16) NOT NULL CHECK (role IN ('admin', 'banker', 'operations', 'auditor', 'customer')),
    drawer_account_id BIGINT NULL CHECK (drawer_account_id > 0),
    created_at BIGINT NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    expires_at BIGINT NULL,
    revoked_at BIGINT NULL,
    last_used BIGINT NULL,
    KEY api_keys_by_principal (principal)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The accounts that a customer's key may see.
CREATE TABLE api_key_accounts (
    key_id BINARY(16) NOT NULL,
    account_id BIGINT NOT NULL CHECK (account_id > 0),
    PRIMARY KEY (key_id, account_id),
    CONSTRAINT key_account_key FOREIGN KEY (key_id) REFERENCES api_keys (id)
) ENGINE = InnoDB;

CREATE TRIGGER api_keys_stay BEFORE DELETE ON api_keys FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: api_keys are revoked, never deleted';

CREATE TRIGGER api_keys_fixed BEFORE UPDATE ON api_keys FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.prefix <> OLD.prefix OR NEW.hash <> OLD.hash OR NEW.principal <> OLD.principal
        OR NEW.role <> OLD.role OR NEW.created_at <> OLD.created_at OR NEW.created_by <> OLD.created_by THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: api_keys: make a new key instead';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND NOT NEW.revoked_at <=> OLD.revoked_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: api_keys: revoked is final';
    END IF;
END;

CREATE TRIGGER api_key_accounts_fixed BEFORE UPDATE ON api_key_accounts FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: api_key_accounts: add and remove rows instead';

-- Audit. last_used is no change and leaves no record.
CREATE TRIGGER api_keys_made AFTER INSERT ON api_keys FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('create', 'api_key', LOWER(HEX(NEW.id)),
            JSON_OBJECT('prefix', NEW.prefix, 'name', NEW.name, 'principal', NEW.principal, 'role', NEW.role,
                'drawer_account_id', NEW.drawer_account_id, 'created_by', NEW.created_by,
                'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at));
    END IF;
END;

CREATE TRIGGER api_keys_changed AFTER UPDATE ON api_keys FOR EACH ROW
BEGIN
    IF NEW.name <> OLD.name OR NOT NEW.drawer_account_id <=> OLD.drawer_account_id
        OR NOT NEW.expires_at <=> OLD.expires_at OR NOT NEW.revoked_at <=> OLD.revoked_at THEN
        INSERT INTO audit_records (action, object, object_id, before_state, after_state)
        VALUES (IF(OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL, 'revoke', 'change'),
            'api_key', LOWER(HEX(NEW.id)),
            JSON_OBJECT('name', OLD.name, 'drawer_account_id', OLD.drawer_account_id,
                'expires_at', OLD.expires_at, 'revoked_at', OLD.revoked_at),
            JSON_OBJECT('name', NEW.name, 'drawer_account_id', NEW.drawer_account_id,
                'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at));
    END IF;
END;

CREATE TRIGGER api_key_accounts_added AFTER INSERT ON api_key_accounts FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('add_account', 'api_key', LOWER(HEX(NEW.key_id)), JSON_OBJECT('account_id', NEW.account_id));
    END IF;
END;

CREATE TRIGGER api_key_accounts_removed AFTER DELETE ON api_key_accounts FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state)
VALUES ('remove_account', 'api_key', LOWER(HEX(OLD.key_id)), JSON_OBJECT('account_id', OLD.account_id));
