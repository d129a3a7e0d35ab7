-- The outbox: who gets which events, and how far they have come. Never a row for an event that was delivered.

-- Who gets events, and where. What it is and whose it is never changes; target is without passwords.
CREATE TABLE subscriptions (
    id              BLOB    PRIMARY KEY CHECK (length(id) = 16),
    sink            TEXT    NOT NULL CHECK (sink IN ('webhook', 'rabbitmq', 'nats', 'file')),
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    target          TEXT    NOT NULL CHECK (length(target) BETWEEN 1 AND 2048),
    principal       TEXT    NOT NULL CHECK (length(principal) BETWEEN 1 AND 64),
    role            TEXT    NOT NULL CHECK (role IN ('admin', 'banker', 'operations', 'auditor', 'customer')),
    accounts        TEXT    NOT NULL CHECK (json_valid(accounts)),
    kinds           TEXT    NOT NULL CHECK (json_valid(kinds)),
    filter_accounts TEXT    NOT NULL CHECK (json_valid(filter_accounts)),
    begins_after    INTEGER NOT NULL CHECK (begins_after >= 0),
    created_at      INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    disabled_at     INTEGER,
    disabled_why    TEXT    CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
) STRICT;

-- What signs a webhook. Two while one takes the other's place; never in an audit record.
CREATE TABLE subscription_secrets (
    id              BLOB    PRIMARY KEY CHECK (length(id) = 16),
    subscription_id BLOB    NOT NULL REFERENCES subscriptions (id),
    secret          BLOB    NOT NULL CHECK (length(secret) = 32),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER
) STRICT;

CREATE INDEX subscription_secrets_by_subscription ON subscription_secrets (subscription_id);

-- Everything at or below the mark is delivered, not wanted, parked or a dead letter.
CREATE TABLE outbox_marks (
    subscription_id BLOB    PRIMARY KEY REFERENCES subscriptions (id),
    mark            INTEGER NOT NULL CHECK (mark >= 0),
    updated_at      INTEGER NOT NULL
) STRICT;

-- Events that were not taken, and those that wait behind them in a lane.
CREATE TABLE outbox_parked (
    subscription_id BLOB    NOT NULL REFERENCES subscriptions (id),
    sequence        INTEGER NOT NULL CHECK (sequence > 0),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    due_at          INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, sequence)
) STRICT;

-- Events that were given up.
CREATE TABLE outbox_dead_letters (
    subscription_id BLOB    NOT NULL REFERENCES subscriptions (id),
    sequence        INTEGER NOT NULL CHECK (sequence > 0),
    attempts        INTEGER NOT NULL,
    given_up_at     INTEGER NOT NULL,
    why             TEXT    NOT NULL,
    PRIMARY KEY (subscription_id, sequence)
) STRICT;

-- Attempts that failed: the newest of each subscription.
CREATE TABLE outbox_attempts (
    subscription_id BLOB    NOT NULL REFERENCES subscriptions (id),
    number          INTEGER NOT NULL CHECK (number > 0),
    sequence        INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    took            INTEGER NOT NULL,
    status          INTEGER,
    detail          TEXT    NOT NULL,
    PRIMARY KEY (subscription_id, number)
) STRICT;

CREATE TRIGGER subscriptions_no_replace BEFORE INSERT ON subscriptions
WHEN EXISTS (SELECT 1 FROM subscriptions WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'subscriptions: an id is used once'); END;

CREATE TRIGGER subscriptions_fixed
BEFORE UPDATE OF id, sink, principal, role, accounts, begins_after, created_at, created_by ON subscriptions
BEGIN SELECT RAISE(ABORT, 'subscriptions: make a new one instead'); END;

-- Audit.
CREATE TRIGGER subscriptions_audit_insert AFTER INSERT ON subscriptions
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'create', 'subscription', lower(hex(NEW.id)),
           json_object('sink', NEW.sink, 'name', NEW.name, 'target', NEW.target, 'principal', NEW.principal,
                       'role', NEW.role, 'accounts', json(NEW.accounts), 'kinds', json(NEW.kinds),
                       'filter_accounts', json(NEW.filter_accounts), 'begins_after', NEW.begins_after)
      FROM audit_signature;
END;

CREATE TRIGGER subscriptions_audit_update AFTER UPDATE ON subscriptions
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin,
           CASE WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'disable'
                WHEN OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL THEN 'enable'
                ELSE 'change' END,
           'subscription', lower(hex(NEW.id)),
           json_object('name', OLD.name, 'target', OLD.target, 'kinds', json(OLD.kinds),
                       'filter_accounts', json(OLD.filter_accounts), 'disabled_at', OLD.disabled_at,
                       'disabled_why', OLD.disabled_why),
           json_object('name', NEW.name, 'target', NEW.target, 'kinds', json(NEW.kinds),
                       'filter_accounts', json(NEW.filter_accounts), 'disabled_at', NEW.disabled_at,
                       'disabled_why', NEW.disabled_why)
      FROM audit_signature;
END;

CREATE TRIGGER subscriptions_audit_delete AFTER DELETE ON subscriptions
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state)
    SELECT at, actor, origin, 'delete', 'subscription', lower(hex(OLD.id)),
           json_object('sink', OLD.sink, 'name', OLD.name, 'target', OLD.target, 'principal', OLD.principal,
                       'role', OLD.role)
      FROM audit_signature;
END;

CREATE TRIGGER subscription_secrets_audit_insert AFTER INSERT ON subscription_secrets
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'add_secret', 'subscription', lower(hex(NEW.subscription_id)),
           json_object('secret_id', lower(hex(NEW.id)), 'expires_at', NEW.expires_at)
      FROM audit_signature;
END;

CREATE TRIGGER subscription_secrets_audit_update AFTER UPDATE ON subscription_secrets
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'change_secret', 'subscription', lower(hex(NEW.subscription_id)),
           json_object('secret_id', lower(hex(OLD.id)), 'expires_at', OLD.expires_at),
           json_object('secret_id', lower(hex(NEW.id)), 'expires_at', NEW.expires_at)
      FROM audit_signature;
END;

CREATE TRIGGER subscription_secrets_audit_delete AFTER DELETE ON subscription_secrets
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state)
    SELECT at, actor, origin, 'remove_secret', 'subscription', lower(hex(OLD.subscription_id)),
           json_object('secret_id', lower(hex(OLD.id)), 'expires_at', OLD.expires_at)
      FROM audit_signature;
END;
