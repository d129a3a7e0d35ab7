-- Payments: money that leaves the building. Rails, payments with their timeline, incoming payments, cases: the same
-- tables as in a bank.db. Amounts are minor units, times microseconds since 1970, ids UUIDv7; account and transaction
-- ids are the ledger's.

CREATE TABLE rails (
    name VARCHAR(32) NOT NULL PRIMARY KEY CHECK (CHAR_LENGTH(name) > 0),
    url VARCHAR(2048) NOT NULL,
    paused SMALLINT NOT NULL CHECK (paused IN (0, 1)),
    iban_required SMALLINT NOT NULL CHECK (iban_required IN (0, 1)),
    -- Minutes of the day, UTC: handed over from the first to the second; both or none.
    opens BIGINT NULL CHECK (opens BETWEEN 0 AND 1439),
    cut_off BIGINT NULL CHECK (cut_off BETWEEN 1 AND 1440),
    settles_within BIGINT NOT NULL CHECK (settles_within > 0),
    timeout BIGINT NOT NULL CHECK (timeout > 0),
    enquire_after BIGINT NOT NULL CHECK (enquire_after > 0),
    enquire_at_most BIGINT NOT NULL CHECK (enquire_at_most > 0),
    tries_max BIGINT NOT NULL CHECK (tries_max > 0),
    created_at BIGINT NOT NULL,
    CONSTRAINT rails_window CHECK ((opens IS NULL) = (cut_off IS NULL))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE rail_currencies (
    rail VARCHAR(32) NOT NULL,
    currency VARCHAR(3) NOT NULL CHECK (CHAR_LENGTH(currency) = 3),
    amount_max BIGINT NOT NULL CHECK (amount_max > 0),
    clearing_account_id BIGINT NOT NULL CHECK (clearing_account_id > 0),
    settlement_account_id BIGINT NOT NULL CHECK (settlement_account_id > 0),
    suspense_account_id BIGINT NOT NULL CHECK (suspense_account_id > 0),
    PRIMARY KEY (rail, currency),
    CONSTRAINT rail_currency_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Secrets are shared with the other side, so they are kept as they are; no trigger and no list shows them.
CREATE TABLE rail_keys (
    rail VARCHAR(32) NOT NULL,
    key_id VARCHAR(32) NOT NULL CHECK (CHAR_LENGTH(key_id) > 0),
    secret VARBINARY(64) NOT NULL CHECK (LENGTH(secret) >= 24),
    created_at BIGINT NOT NULL,
    retired_at BIGINT NULL,
    PRIMARY KEY (rail, key_id),
    CONSTRAINT rail_key_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE payments (
    id BINARY(16) NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    rail VARCHAR(32) NOT NULL,
    reference VARCHAR(64) NOT NULL UNIQUE,
    principal VARCHAR(64) NOT NULL,
    principal_id BIGINT NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    fingerprint BINARY(16) NOT NULL,
    account_id BIGINT NOT NULL CHECK (account_id > 0),
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency VARCHAR(3) NOT NULL CHECK (CHAR_LENGTH(currency) = 3),
    clearing_account_id BIGINT NOT NULL,
    settlement_account_id BIGINT NOT NULL,
    suspense_account_id BIGINT NOT NULL,
    debtor_name VARCHAR(255) NOT NULL,
    debtor_account VARCHAR(64) NOT NULL,
    beneficiary_name VARCHAR(255) NOT NULL,
    beneficiary_account VARCHAR(64) NOT NULL,
    client_reference VARCHAR(255) NULL,
    description VARCHAR(1024) NULL,
    state VARCHAR(16) NOT NULL CHECK (state IN ('created', 'refused', 'funded', 'submitted', 'accepted', 'unknown',
        'cancel_requested', 'settling', 'settled', 'rejected', 'cancelled', 'reversed', 'suspending', 'suspended')),
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    tries BIGINT NOT NULL CHECK (tries >= 0),
    cancel_wanted SMALLINT NOT NULL CHECK (cancel_wanted IN (0, 1)),
    held SMALLINT NOT NULL CHECK (held IN (0, 1)),
    version BIGINT NOT NULL CHECK (version > 0),
    due_at BIGINT NULL,
    queued_until BIGINT NULL,
    expected_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    funding_id BIGINT NULL,
    settlement_id BIGINT NULL,
    reversal_id BIGINT NULL,
    suspense_id BIGINT NULL,
    refusal_id BIGINT NULL,
    UNIQUE KEY payments_by_key (principal, idempotency_key),
    KEY payments_by_due (due_at),
    KEY payments_by_state (state, number),
    KEY payments_by_account (account_id, number),
    CONSTRAINT payment_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The timeline. What a payment was told and what came of it, for ever.
CREATE TABLE payment_transitions (
    payment BINARY(16) NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR(255) NOT NULL,
    origin VARCHAR(255) NULL,
    from_state VARCHAR(16) NULL,
    to_state VARCHAR(16) NOT NULL,
    attempt BIGINT NOT NULL,
    observed VARCHAR(32) NOT NULL,
    reason VARCHAR(1024) NULL,
    transaction_id BIGINT NULL,
    PRIMARY KEY (payment, version),
    CONSTRAINT transition_payment FOREIGN KEY (payment) REFERENCES payments (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE incoming_payments (
    id BINARY(16) NOT NULL PRIMARY KEY,
    rail VARCHAR(32) NOT NULL,
    reference VARCHAR(255) NOT NULL,
    fingerprint BINARY(16) NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency VARCHAR(3) NOT NULL CHECK (CHAR_LENGTH(currency) = 3),
    debtor_name VARCHAR(255) NOT NULL,
    debtor_account VARCHAR(255) NOT NULL,
    beneficiary_name VARCHAR(255) NOT NULL,
    beneficiary_account VARCHAR(255) NOT NULL,
    description VARCHAR(1024) NULL,
    state VARCHAR(16) NOT NULL CHECK (state IN ('received', 'to_suspense', 'credited', 'suspended')),
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    version BIGINT NOT NULL CHECK (version > 0),
    due_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    account_id BIGINT NULL,
    transaction_id BIGINT NULL,
    UNIQUE KEY incoming_by_reference (rail, reference),
    KEY incoming_by_due (due_at),
    CONSTRAINT incoming_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a person has to look at.
CREATE TABLE cases (
    id BINARY(16) NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    kind VARCHAR(32) NOT NULL,
    payment BINARY(16) NULL,
    incoming BINARY(16) NULL,
    rail VARCHAR(32) NOT NULL,
    amount_at_risk BIGINT NOT NULL CHECK (amount_at_risk >= 0),
    currency VARCHAR(3) NOT NULL,
    evidence LONGTEXT NOT NULL CHECK (JSON_VALID(evidence)),
    opened_at BIGINT NOT NULL,
    resolved_at BIGINT NULL,
    resolution VARCHAR(16) NULL,
    KEY cases_by_resolution (resolved_at, number),
    KEY cases_by_payment (payment),
    CONSTRAINT case_resolved CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CONSTRAINT case_payment FOREIGN KEY (payment) REFERENCES payments (id),
    CONSTRAINT case_incoming FOREIGN KEY (incoming) REFERENCES incoming_payments (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE case_history (
    case_id BINARY(16) NOT NULL,
    entry BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR(255) NOT NULL,
    action VARCHAR(32) NOT NULL,
    reason VARCHAR(1024) NULL,
    PRIMARY KEY (case_id, entry),
    CONSTRAINT history_case FOREIGN KEY (case_id) REFERENCES cases (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which service drives: one at a time.
CREATE TABLE drivers (
    name VARCHAR(32) NOT NULL PRIMARY KEY,
    holder BINARY(16) NOT NULL,
    until BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO drivers (name, holder, until) VALUES ('payments', UNHEX('00000000000000000000000000000000'), 0);

-- Guards: a timeline is not rewritten, and what a payment is about never changes.
CREATE TRIGGER payment_transitions_unchanged BEFORE UPDATE ON payment_transitions FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payment_transitions is append-only';
CREATE TRIGGER payment_transitions_stay BEFORE DELETE ON payment_transitions FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payment_transitions is append-only';
CREATE TRIGGER case_history_unchanged BEFORE UPDATE ON case_history FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: case_history is append-only';
CREATE TRIGGER case_history_stays BEFORE DELETE ON case_history FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: case_history is append-only';
CREATE TRIGGER payments_stay BEFORE DELETE ON payments FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payments are never deleted';
CREATE TRIGGER incoming_payments_stay BEFORE DELETE ON incoming_payments FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_payments are never deleted';
CREATE TRIGGER cases_stay BEFORE DELETE ON cases FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: cases are resolved, never deleted';
CREATE TRIGGER rails_stay BEFORE DELETE ON rails FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: rails are paused, never deleted';
CREATE TRIGGER rail_keys_stay BEFORE DELETE ON rail_keys FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: rail keys are retired, never deleted';

CREATE TRIGGER payments_fixed BEFORE UPDATE ON payments FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.number <> OLD.number OR NEW.rail <> OLD.rail OR NEW.reference <> OLD.reference
        OR NEW.principal <> OLD.principal OR NEW.principal_id <> OLD.principal_id
        OR NEW.idempotency_key <> OLD.idempotency_key OR NEW.fingerprint <> OLD.fingerprint
        OR NEW.account_id <> OLD.account_id OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency
        OR NEW.clearing_account_id <> OLD.clearing_account_id
        OR NEW.settlement_account_id <> OLD.settlement_account_id
        OR NEW.suspense_account_id <> OLD.suspense_account_id OR NEW.beneficiary_name <> OLD.beneficiary_name
        OR NEW.beneficiary_account <> OLD.beneficiary_account OR NEW.created_at <> OLD.created_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payments: what a payment is about never changes';
    END IF;
    IF OLD.state IN ('refused', 'settled', 'reversed', 'suspended') AND NEW.state <> OLD.state THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payments: an end is final';
    END IF;
END;

CREATE TRIGGER incoming_payments_fixed BEFORE UPDATE ON incoming_payments FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.rail <> OLD.rail OR NEW.reference <> OLD.reference
        OR NEW.fingerprint <> OLD.fingerprint OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency
        OR NEW.beneficiary_account <> OLD.beneficiary_account OR NEW.created_at <> OLD.created_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_payments: what it is about never changes';
    END IF;
END;

CREATE TRIGGER cases_stay_resolved BEFORE UPDATE ON cases FOR EACH ROW
BEGIN
    IF OLD.resolved_at IS NOT NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: cases: resolved is final';
    END IF;
END;

CREATE TRIGGER rail_keys_fixed BEFORE UPDATE ON rail_keys FOR EACH ROW
BEGIN
    IF NEW.rail <> OLD.rail OR NEW.key_id <> OLD.key_id OR NEW.secret <> OLD.secret
        OR NEW.created_at <> OLD.created_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: rail keys: make a new key instead';
    END IF;
END;

-- Audit. The service's own steps are the timeline; a change that bypasses the service is recorded here.
CREATE TRIGGER payments_changed AFTER UPDATE ON payments FOR EACH ROW
BEGIN
    IF @bankcore_actor IS NULL THEN
        INSERT INTO audit_records (action, object, object_id, before_state, after_state)
        VALUES ('change', 'payment', LOWER(HEX(NEW.id)),
            JSON_OBJECT('state', OLD.state, 'attempt', OLD.attempt, 'held', OLD.held, 'due_at', OLD.due_at),
            JSON_OBJECT('state', NEW.state, 'attempt', NEW.attempt, 'held', NEW.held, 'due_at', NEW.due_at));
    END IF;
END;

CREATE TRIGGER cases_resolved AFTER UPDATE ON cases FOR EACH ROW
BEGIN
    IF OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('resolve', 'case', LOWER(HEX(NEW.id)),
            JSON_OBJECT('kind', NEW.kind, 'resolution', NEW.resolution,
                'reason', (SELECT reason FROM case_history WHERE case_id = NEW.id ORDER BY entry DESC LIMIT 1)));
    END IF;
END;

CREATE TRIGGER rails_made AFTER INSERT ON rails FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('create', 'rail', NEW.name, JSON_OBJECT('url', NEW.url, 'paused', NEW.paused,
            'iban_required', NEW.iban_required, 'opens', NEW.opens, 'cut_off', NEW.cut_off));
    END IF;
END;

CREATE TRIGGER rails_changed AFTER UPDATE ON rails FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state, after_state)
VALUES ('change', 'rail', NEW.name,
    JSON_OBJECT('url', OLD.url, 'paused', OLD.paused, 'iban_required', OLD.iban_required, 'opens', OLD.opens,
        'cut_off', OLD.cut_off),
    JSON_OBJECT('url', NEW.url, 'paused', NEW.paused, 'iban_required', NEW.iban_required, 'opens', NEW.opens,
        'cut_off', NEW.cut_off));

CREATE TRIGGER rail_currencies_added AFTER INSERT ON rail_currencies FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('add_currency', 'rail', NEW.rail, JSON_OBJECT('currency', NEW.currency, 'amount_max', NEW.amount_max,
            'clearing_account_id', NEW.clearing_account_id, 'settlement_account_id', NEW.settlement_account_id,
            'suspense_account_id', NEW.suspense_account_id));
    END IF;
END;

CREATE TRIGGER rail_currencies_removed AFTER DELETE ON rail_currencies FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state)
VALUES ('remove_currency', 'rail', OLD.rail, JSON_OBJECT('currency', OLD.currency, 'amount_max', OLD.amount_max,
    'clearing_account_id', OLD.clearing_account_id, 'settlement_account_id', OLD.settlement_account_id,
    'suspense_account_id', OLD.suspense_account_id));

CREATE TRIGGER rail_keys_added AFTER INSERT ON rail_keys FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('add_key', 'rail', NEW.rail, JSON_OBJECT('key_id', NEW.key_id));
    END IF;
END;

CREATE TRIGGER rail_keys_retired AFTER UPDATE ON rail_keys FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, after_state)
VALUES ('retire_key', 'rail', NEW.rail, JSON_OBJECT('key_id', NEW.key_id, 'retired_at', NEW.retired_at));
