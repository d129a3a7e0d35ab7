-- The outbox: who gets which events, and how far they have come. Never a row for an event that was delivered.

-- Who gets events, and where. What it is and whose it is never changes; target is without passwords.
CREATE TABLE subscriptions (
    id BINARY(16) NOT NULL PRIMARY KEY,
    sink VARCHAR(16) NOT NULL CHECK (sink IN ('webhook', 'rabbitmq', 'nats', 'file')),
    name VARCHAR(100) NOT NULL CHECK (CHAR_LENGTH(name) BETWEEN 1 AND 100),
    target VARCHAR(2048) NOT NULL CHECK (CHAR_LENGTH(target) BETWEEN 1 AND 2048),
    principal VARCHAR(64) NOT NULL CHECK (CHAR_LENGTH(principal) BETWEEN 1 AND 64),
    role VARCHAR(16) NOT NULL CHECK (role IN ('admin', 'banker', 'operations', 'auditor', 'customer')),
    accounts LONGTEXT NOT NULL CHECK (JSON_VALID(accounts)),
    kinds LONGTEXT NOT NULL CHECK (JSON_VALID(kinds)),
    filter_accounts LONGTEXT NOT NULL CHECK (JSON_VALID(filter_accounts)),
    begins_after BIGINT NOT NULL CHECK (begins_after >= 0),
    created_at BIGINT NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    disabled_at BIGINT NULL,
    disabled_why VARCHAR(255) NULL,
    CONSTRAINT disabled_is_explained CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What signs a webhook. Two while one takes the other's place; never in an audit record.
CREATE TABLE subscription_secrets (
    id BINARY(16) NOT NULL PRIMARY KEY,
    subscription_id BINARY(16) NOT NULL,
    secret BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NULL,
    CONSTRAINT secret_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB;

-- Everything at or below the mark is delivered, not wanted, parked or a dead letter.
CREATE TABLE outbox_marks (
    subscription_id BINARY(16) NOT NULL PRIMARY KEY,
    mark BIGINT NOT NULL CHECK (mark >= 0),
    updated_at BIGINT NOT NULL,
    CONSTRAINT mark_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB;

-- Events that were not taken, and those that wait behind them in a lane.
CREATE TABLE outbox_parked (
    subscription_id BINARY(16) NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    due_at BIGINT NOT NULL,
    PRIMARY KEY (subscription_id, sequence),
    CONSTRAINT parked_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB;

-- Events that were given up.
CREATE TABLE outbox_dead_letters (
    subscription_id BINARY(16) NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    attempts BIGINT NOT NULL,
    given_up_at BIGINT NOT NULL,
    why TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (subscription_id, sequence),
    CONSTRAINT dead_letter_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB;

-- Attempts that failed: the newest of each subscription.
CREATE TABLE outbox_attempts (
    subscription_id BINARY(16) NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    sequence BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    took BIGINT NOT NULL,
    status BIGINT NULL,
    detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (subscription_id, number),
    CONSTRAINT attempt_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB;

CREATE TRIGGER subscriptions_fixed BEFORE UPDATE ON subscriptions FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.sink <> OLD.sink OR NEW.principal <> OLD.principal OR NEW.role <> OLD.role
        OR NEW.accounts <> OLD.accounts OR NEW.begins_after <> OLD.begins_after
        OR NEW.created_at <> OLD.created_at OR NEW.created_by <> OLD.created_by THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: subscriptions: make a new one instead';
    END IF;
END;

-- Audit.
CREATE TRIGGER subscriptions_made AFTER INSERT ON subscriptions FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('create', 'subscription', LOWER(HEX(NEW.id)),
            JSON_OBJECT('sink', NEW.sink, 'name', NEW.name, 'target', NEW.target, 'principal', NEW.principal,
                'role', NEW.role, 'accounts', JSON_EXTRACT(NEW.accounts, '$'), 'kinds', JSON_EXTRACT(NEW.kinds, '$'),
                'filter_accounts', JSON_EXTRACT(NEW.filter_accounts, '$'), 'begins_after', NEW.begins_after));
    END IF;
END;

CREATE TRIGGER subscriptions_changed AFTER UPDATE ON subscriptions FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state, after_state)
VALUES (CASE WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'disable'
             WHEN OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL THEN 'enable'
             ELSE 'change' END,
    'subscription', LOWER(HEX(NEW.id)),
    JSON_OBJECT('name', OLD.name, 'target', OLD.target, 'kinds', JSON_EXTRACT(OLD.kinds, '$'),
        'filter_accounts', JSON_EXTRACT(OLD.filter_accounts, '$'), 'disabled_at', OLD.disabled_at,
        'disabled_why', OLD.disabled_why),
    JSON_OBJECT('name', NEW.name, 'target', NEW.target, 'kinds', JSON_EXTRACT(NEW.kinds, '$'),
        'filter_accounts', JSON_EXTRACT(NEW.filter_accounts, '$'), 'disabled_at', NEW.disabled_at,
        'disabled_why', NEW.disabled_why));

CREATE TRIGGER subscriptions_removed AFTER DELETE ON subscriptions FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state)
VALUES ('delete', 'subscription', LOWER(HEX(OLD.id)),
    JSON_OBJECT('sink', OLD.sink, 'name', OLD.name, 'target', OLD.target, 'principal', OLD.principal,
        'role', OLD.role));

CREATE TRIGGER subscription_secrets_added AFTER INSERT ON subscription_secrets FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('add_secret', 'subscription', LOWER(HEX(NEW.subscription_id)),
            JSON_OBJECT('secret_id', LOWER(HEX(NEW.id)), 'expires_at', NEW.expires_at));
    END IF;
END;

CREATE TRIGGER subscription_secrets_changed AFTER UPDATE ON subscription_secrets FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state, after_state)
VALUES ('change_secret', 'subscription', LOWER(HEX(NEW.subscription_id)),
    JSON_OBJECT('secret_id', LOWER(HEX(OLD.id)), 'expires_at', OLD.expires_at),
    JSON_OBJECT('secret_id', LOWER(HEX(NEW.id)), 'expires_at', NEW.expires_at));

CREATE TRIGGER subscription_secrets_removed AFTER DELETE ON subscription_secrets FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state)
VALUES ('remove_secret', 'subscription', LOWER(HEX(OLD.subscription_id)),
    JSON_OBJECT('secret_id', LOWER(HEX(OLD.id)), 'expires_at', OLD.expires_at));
