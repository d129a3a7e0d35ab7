-- Payments: money that leaves the building. Rails, payments with their timeline, incoming payments, cases.
-- Amounts are minor units, times microseconds since 1970, ids UUIDv7; account and transaction ids are the ledger's.

CREATE TABLE rails (
    name            TEXT    PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
    url             TEXT    NOT NULL,
    paused          INTEGER NOT NULL CHECK (paused IN (0, 1)),
    iban_required   INTEGER NOT NULL CHECK (iban_required IN (0, 1)),
    -- Minutes of the day, UTC: handed over from the first to the second; both or none.
    opens           INTEGER CHECK (opens BETWEEN 0 AND 1439),
    cut_off         INTEGER CHECK (cut_off BETWEEN 1 AND 1440),
    settles_within  INTEGER NOT NULL CHECK (settles_within > 0),
    timeout         INTEGER NOT NULL CHECK (timeout > 0),
    enquire_after   INTEGER NOT NULL CHECK (enquire_after > 0),
    enquire_at_most INTEGER NOT NULL CHECK (enquire_at_most >= enquire_after),
    tries_max       INTEGER NOT NULL CHECK (tries_max > 0),
    created_at      INTEGER NOT NULL,
    CHECK ((opens IS NULL) = (cut_off IS NULL))
) STRICT;

CREATE TABLE rail_currencies (
    rail                  TEXT    NOT NULL REFERENCES rails (name),
    currency              TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_max            INTEGER NOT NULL CHECK (amount_max > 0),
    clearing_account_id   INTEGER NOT NULL CHECK (clearing_account_id > 0),
    settlement_account_id INTEGER NOT NULL CHECK (settlement_account_id > 0),
    suspense_account_id   INTEGER NOT NULL CHECK (suspense_account_id > 0),
    PRIMARY KEY (rail, currency)
) STRICT;

-- Secrets are shared with the other side, so they are kept as they are; no trigger and no list shows them.
CREATE TABLE rail_keys (
    rail       TEXT    NOT NULL REFERENCES rails (name),
    key_id     TEXT    NOT NULL CHECK (length(key_id) BETWEEN 1 AND 32),
    secret     BLOB    NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    created_at INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (rail, key_id)
) STRICT;

CREATE TABLE payments (
    id                  BLOB    PRIMARY KEY CHECK (length(id) = 16),
    number              INTEGER NOT NULL UNIQUE,
    rail                TEXT    NOT NULL REFERENCES rails (name),
    reference           TEXT    NOT NULL UNIQUE,
    principal           TEXT    NOT NULL,
    principal_id        INTEGER NOT NULL,
    idempotency_key     TEXT    NOT NULL,
    fingerprint         BLOB    NOT NULL CHECK (length(fingerprint) = 16),
    account_id          INTEGER NOT NULL CHECK (account_id > 0),
    amount              INTEGER NOT NULL CHECK (amount > 0),
    currency            TEXT    NOT NULL CHECK (length(currency) = 3),
    clearing_account_id   INTEGER NOT NULL,
    settlement_account_id INTEGER NOT NULL,
    suspense_account_id   INTEGER NOT NULL,
    debtor_name         TEXT    NOT NULL,
    debtor_account      TEXT    NOT NULL,
    beneficiary_name    TEXT    NOT NULL,
    beneficiary_account TEXT    NOT NULL,
    client_reference    TEXT,
    description         TEXT,
    state               TEXT    NOT NULL CHECK (state IN ('created', 'refused', 'funded', 'submitted', 'accepted',
                                'unknown', 'cancel_requested', 'settling', 'settled', 'rejected', 'cancelled',
                                'reversed', 'suspending', 'suspended')),
    attempt             INTEGER NOT NULL CHECK (attempt >= 0),
    tries               INTEGER NOT NULL CHECK (tries >= 0),
    cancel_wanted       INTEGER NOT NULL CHECK (cancel_wanted IN (0, 1)),
    held                INTEGER NOT NULL CHECK (held IN (0, 1)),
    version             INTEGER NOT NULL CHECK (version > 0),
    due_at              INTEGER,
    queued_until        INTEGER,
    expected_at         INTEGER,
    created_at          INTEGER NOT NULL,
    changed_at          INTEGER NOT NULL,
    funding_id          INTEGER,
    settlement_id       INTEGER,
    reversal_id         INTEGER,
    suspense_id         INTEGER,
    refusal_id          INTEGER,
    UNIQUE (principal, idempotency_key)
) STRICT;

CREATE INDEX payments_by_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payments_by_state ON payments (state, number);
CREATE INDEX payments_by_account ON payments (account_id, number);

-- The timeline. What a payment was told and what came of it, for ever.
CREATE TABLE payment_transitions (
    payment        BLOB    NOT NULL REFERENCES payments (id),
    version        INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    actor          TEXT    NOT NULL,
    origin         TEXT,
    from_state     TEXT,
    to_state       TEXT    NOT NULL,
    attempt        INTEGER NOT NULL,
    observed       TEXT    NOT NULL,
    reason         TEXT,
    transaction_id INTEGER,
    PRIMARY KEY (payment, version)
) STRICT;

CREATE TABLE incoming_payments (
    id                  BLOB    PRIMARY KEY CHECK (length(id) = 16),
    rail                TEXT    NOT NULL REFERENCES rails (name),
    reference           TEXT    NOT NULL,
    fingerprint         BLOB    NOT NULL CHECK (length(fingerprint) = 16),
    amount              INTEGER NOT NULL CHECK (amount > 0),
    currency            TEXT    NOT NULL CHECK (length(currency) = 3),
    debtor_name         TEXT    NOT NULL,
    debtor_account      TEXT    NOT NULL,
    beneficiary_name    TEXT    NOT NULL,
    beneficiary_account TEXT    NOT NULL,
    description         TEXT,
    state               TEXT    NOT NULL CHECK (state IN ('received', 'to_suspense', 'credited', 'suspended')),
    attempt             INTEGER NOT NULL CHECK (attempt >= 0),
    version             INTEGER NOT NULL CHECK (version > 0),
    due_at              INTEGER,
    created_at          INTEGER NOT NULL,
    changed_at          INTEGER NOT NULL,
    account_id          INTEGER,
    transaction_id      INTEGER,
    UNIQUE (rail, reference)
) STRICT;

CREATE INDEX incoming_payments_by_due ON incoming_payments (due_at) WHERE due_at IS NOT NULL;

-- What a person has to look at.
CREATE TABLE cases (
    id             BLOB    PRIMARY KEY CHECK (length(id) = 16),
    number         INTEGER NOT NULL UNIQUE,
    kind           TEXT    NOT NULL,
    payment        BLOB    REFERENCES payments (id),
    incoming       BLOB    REFERENCES incoming_payments (id),
    rail           TEXT    NOT NULL,
    amount_at_risk INTEGER NOT NULL CHECK (amount_at_risk >= 0),
    currency       TEXT    NOT NULL,
    evidence       TEXT    NOT NULL CHECK (json_valid(evidence)),
    opened_at      INTEGER NOT NULL,
    resolved_at    INTEGER,
    resolution     TEXT,
    CHECK ((resolved_at IS NULL) = (resolution IS NULL))
) STRICT;

CREATE INDEX cases_open ON cases (number) WHERE resolved_at IS NULL;
CREATE INDEX cases_by_payment ON cases (payment);

CREATE TABLE case_history (
    case_id BLOB    NOT NULL REFERENCES cases (id),
    entry   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    reason  TEXT,
    PRIMARY KEY (case_id, entry)
) STRICT;

-- Which service drives: one at a time.
CREATE TABLE drivers (
    name   TEXT    PRIMARY KEY,
    holder BLOB    NOT NULL CHECK (length(holder) = 16),
    until  INTEGER NOT NULL
) STRICT;

INSERT INTO drivers (name, holder, until) VALUES ('payments', zeroblob(16), 0);

-- Guards: a timeline is not rewritten, and what a payment is about never changes.
CREATE TRIGGER payment_transitions_no_update BEFORE UPDATE ON payment_transitions
BEGIN SELECT RAISE(ABORT, 'payment_transitions is append-only'); END;
CREATE TRIGGER payment_transitions_no_delete BEFORE DELETE ON payment_transitions
BEGIN SELECT RAISE(ABORT, 'payment_transitions is append-only'); END;
CREATE TRIGGER payment_transitions_no_replace BEFORE INSERT ON payment_transitions
WHEN EXISTS (SELECT 1 FROM payment_transitions WHERE payment = NEW.payment AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'payment_transitions is append-only'); END;

CREATE TRIGGER case_history_no_update BEFORE UPDATE ON case_history
BEGIN SELECT RAISE(ABORT, 'case_history is append-only'); END;
CREATE TRIGGER case_history_no_delete BEFORE DELETE ON case_history
BEGIN SELECT RAISE(ABORT, 'case_history is append-only'); END;
CREATE TRIGGER case_history_no_replace BEFORE INSERT ON case_history
WHEN EXISTS (SELECT 1 FROM case_history WHERE case_id = NEW.case_id AND entry = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'case_history is append-only'); END;

CREATE TRIGGER payments_no_replace BEFORE INSERT ON payments
WHEN EXISTS (SELECT 1 FROM payments WHERE id = NEW.id OR number = NEW.number OR reference = NEW.reference
             OR (principal = NEW.principal AND idempotency_key = NEW.idempotency_key))
BEGIN SELECT RAISE(ABORT, 'payments: id, number, reference and key are used once'); END;
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
CREATE TRIGGER payments_fixed BEFORE UPDATE OF id, number, rail, reference, principal, principal_id, idempotency_key,
    fingerprint, account_id, amount, currency, clearing_account_id, settlement_account_id, suspense_account_id,
    beneficiary_name, beneficiary_account, created_at ON payments
BEGIN SELECT RAISE(ABORT, 'payments: what a payment is about never changes'); END;
CREATE TRIGGER payments_ends BEFORE UPDATE OF state ON payments
WHEN OLD.state IN ('refused', 'settled', 'reversed', 'suspended') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'payments: an end is final'); END;

CREATE TRIGGER incoming_payments_no_delete BEFORE DELETE ON incoming_payments
BEGIN SELECT RAISE(ABORT, 'incoming_payments are never deleted'); END;
CREATE TRIGGER incoming_payments_fixed BEFORE UPDATE OF id, rail, reference, fingerprint, amount, currency,
    beneficiary_account, created_at ON incoming_payments
BEGIN SELECT RAISE(ABORT, 'incoming_payments: what a payment is about never changes'); END;

CREATE TRIGGER cases_no_delete BEFORE DELETE ON cases
BEGIN SELECT RAISE(ABORT, 'cases are resolved, never deleted'); END;
CREATE TRIGGER cases_stay_resolved BEFORE UPDATE ON cases
WHEN OLD.resolved_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'cases: resolved is final'); END;

CREATE TRIGGER rails_no_delete BEFORE DELETE ON rails
BEGIN SELECT RAISE(ABORT, 'rails are paused, never deleted'); END;
CREATE TRIGGER rail_keys_no_delete BEFORE DELETE ON rail_keys
BEGIN SELECT RAISE(ABORT, 'rail keys are retired, never deleted'); END;
CREATE TRIGGER rail_keys_fixed BEFORE UPDATE OF rail, key_id, secret, created_at ON rail_keys
BEGIN SELECT RAISE(ABORT, 'rail keys: make a new key instead'); END;

-- Audit. The service's own steps are the timeline; a change that bypasses the service is recorded here.
CREATE TRIGGER payments_audit_outside AFTER UPDATE ON payments
WHEN NOT EXISTS (SELECT 1 FROM session_actor)
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'change', 'payment', lower(hex(NEW.id)),
           json_object('state', OLD.state, 'attempt', OLD.attempt, 'held', OLD.held, 'due_at', OLD.due_at),
           json_object('state', NEW.state, 'attempt', NEW.attempt, 'held', NEW.held, 'due_at', NEW.due_at)
      FROM audit_signature;
END;

CREATE TRIGGER cases_audit_resolved AFTER UPDATE OF resolved_at ON cases
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'resolve', 'case', lower(hex(NEW.id)), NULL,
           json_object('kind', NEW.kind, 'resolution', NEW.resolution,
                       'reason', (SELECT reason FROM case_history WHERE case_id = NEW.id
                                   ORDER BY entry DESC LIMIT 1))
      FROM audit_signature;
END;

CREATE TRIGGER rails_audit_insert AFTER INSERT ON rails
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'create', 'rail', NEW.name,
           json_object('url', NEW.url, 'paused', NEW.paused, 'iban_required', NEW.iban_required,
                       'opens', NEW.opens, 'cut_off', NEW.cut_off)
      FROM audit_signature;
END;

CREATE TRIGGER rails_audit_update AFTER UPDATE ON rails
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'change', 'rail', NEW.name,
           json_object('url', OLD.url, 'paused', OLD.paused, 'iban_required', OLD.iban_required,
                       'opens', OLD.opens, 'cut_off', OLD.cut_off),
           json_object('url', NEW.url, 'paused', NEW.paused, 'iban_required', NEW.iban_required,
                       'opens', NEW.opens, 'cut_off', NEW.cut_off)
      FROM audit_signature;
END;

CREATE TRIGGER rail_currencies_audit_insert AFTER INSERT ON rail_currencies
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'add_currency', 'rail', NEW.rail,
           json_object('currency', NEW.currency, 'amount_max', NEW.amount_max,
                       'clearing_account_id', NEW.clearing_account_id,
                       'settlement_account_id', NEW.settlement_account_id,
                       'suspense_account_id', NEW.suspense_account_id)
      FROM audit_signature;
END;

CREATE TRIGGER rail_currencies_audit_delete AFTER DELETE ON rail_currencies
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state)
    SELECT at, actor, origin, 'remove_currency', 'rail', OLD.rail,
           json_object('currency', OLD.currency, 'amount_max', OLD.amount_max,
                       'clearing_account_id', OLD.clearing_account_id,
                       'settlement_account_id', OLD.settlement_account_id,
                       'suspense_account_id', OLD.suspense_account_id)
      FROM audit_signature;
END;

CREATE TRIGGER rail_keys_audit_insert AFTER INSERT ON rail_keys
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'add_key', 'rail', NEW.rail, json_object('key_id', NEW.key_id)
      FROM audit_signature;
END;

CREATE TRIGGER rail_keys_audit_update AFTER UPDATE OF retired_at ON rail_keys
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'retire_key', 'rail', NEW.rail,
           json_object('key_id', NEW.key_id, 'retired_at', NEW.retired_at)
      FROM audit_signature;
END;
