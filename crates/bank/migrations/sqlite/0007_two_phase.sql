-- Two-phase commit between bankcores. What this bank has promised another: to credit a customer once it decides.

-- The other side takes part in two-phase commits, and has this long to prepare, µs; null: it does not.
ALTER TABLE rails ADD COLUMN prepare_within INTEGER CHECK (prepare_within > 0);

ALTER TABLE payments ADD COLUMN mode TEXT NOT NULL DEFAULT 'saga' CHECK (mode IN ('saga', 'two_phase'));

CREATE TABLE promises (
    id                  BLOB    PRIMARY KEY CHECK (length(id) = 16),
    number              INTEGER NOT NULL UNIQUE,
    rail                TEXT    NOT NULL REFERENCES rails (name),
    -- The coordinator's: it stands for one promise, for ever.
    reference           TEXT    NOT NULL,
    -- What it is about; nothing of it, if the abort came before the prepare.
    fingerprint         BLOB    CHECK (length(fingerprint) = 16),
    amount              INTEGER CHECK (amount > 0),
    currency            TEXT    CHECK (length(currency) = 3),
    clearing_account_id INTEGER,
    account_id          INTEGER,
    debtor_name         TEXT,
    debtor_account      TEXT,
    beneficiary_name    TEXT,
    beneficiary_account TEXT,
    description         TEXT,
    state               TEXT    NOT NULL CHECK (state IN ('preparing', 'prepared', 'refused', 'committing', 'committed',
                                'aborting', 'aborted')),
    decision            TEXT    CHECK (decision IN ('commit', 'abort')),
    -- An operator decided, not the coordinator; who, when and why, for ever.
    heuristic           INTEGER NOT NULL CHECK (heuristic IN (0, 1)),
    decided_by          TEXT,
    decided_at          INTEGER,
    decided_why         TEXT,
    -- What the coordinator said.
    told                TEXT    CHECK (told IN ('commit', 'abort')),
    -- Why our books refused.
    code                TEXT,
    attempt             INTEGER NOT NULL CHECK (attempt >= 0),
    tries               INTEGER NOT NULL CHECK (tries >= 0),
    version             INTEGER NOT NULL CHECK (version > 0),
    -- From then on the coordinator is asked.
    deadline            INTEGER NOT NULL,
    due_at              INTEGER,
    created_at          INTEGER NOT NULL,
    changed_at          INTEGER NOT NULL,
    hold_id             INTEGER,
    end_id              INTEGER,
    UNIQUE (rail, reference),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK (heuristic = 0 OR (decision IS NOT NULL AND decided_by IS NOT NULL AND decided_why IS NOT NULL))
) STRICT;

CREATE INDEX promises_by_due ON promises (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX promises_by_state ON promises (state, number);

-- The timeline of a promise, for ever.
CREATE TABLE promise_transitions (
    promise        BLOB    NOT NULL REFERENCES promises (id),
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
    PRIMARY KEY (promise, version)
) STRICT;

ALTER TABLE cases ADD COLUMN promise BLOB REFERENCES promises (id);

-- Guards.
CREATE TRIGGER payments_mode_fixed BEFORE UPDATE OF mode ON payments
WHEN OLD.mode <> NEW.mode
BEGIN SELECT RAISE(ABORT, 'payments: what a payment is about never changes'); END;

CREATE TRIGGER promise_transitions_no_update BEFORE UPDATE ON promise_transitions
BEGIN SELECT RAISE(ABORT, 'promise_transitions is append-only'); END;
CREATE TRIGGER promise_transitions_no_delete BEFORE DELETE ON promise_transitions
BEGIN SELECT RAISE(ABORT, 'promise_transitions is append-only'); END;
CREATE TRIGGER promise_transitions_no_replace BEFORE INSERT ON promise_transitions
WHEN EXISTS (SELECT 1 FROM promise_transitions WHERE promise = NEW.promise AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'promise_transitions is append-only'); END;

CREATE TRIGGER promises_no_replace BEFORE INSERT ON promises
WHEN EXISTS (SELECT 1 FROM promises WHERE id = NEW.id OR number = NEW.number
             OR (rail = NEW.rail AND reference = NEW.reference))
BEGIN SELECT RAISE(ABORT, 'promises: id, number and reference are used once'); END;
CREATE TRIGGER promises_no_delete BEFORE DELETE ON promises
BEGIN SELECT RAISE(ABORT, 'promises are never deleted'); END;
CREATE TRIGGER promises_fixed BEFORE UPDATE OF id, number, rail, reference, fingerprint, amount, currency,
    clearing_account_id, account_id, beneficiary_account, deadline, created_at ON promises
BEGIN SELECT RAISE(ABORT, 'promises: what a promise is about never changes'); END;
CREATE TRIGGER promises_decided BEFORE UPDATE ON promises
WHEN OLD.decision IS NOT NULL AND (NEW.decision IS NOT OLD.decision OR NEW.heuristic <> OLD.heuristic
    OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_at <> OLD.decided_at
    OR NEW.decided_why IS NOT OLD.decided_why)
BEGIN SELECT RAISE(ABORT, 'promises: a decision never changes'); END;
CREATE TRIGGER promises_ends BEFORE UPDATE OF state ON promises
WHEN OLD.state IN ('refused', 'committed', 'aborted') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'promises: an end is final'); END;

-- Audit. The service's own steps are the timeline; what a person decides, and what bypasses the service, is recorded.
CREATE TRIGGER promises_audit_decided AFTER UPDATE OF heuristic ON promises
WHEN OLD.heuristic = 0 AND NEW.heuristic = 1
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'decide', 'promise', lower(hex(NEW.id)), json_object('state', OLD.state),
           json_object('decision', NEW.decision, 'reason', NEW.decided_why, 'reference', NEW.reference,
                       'rail', NEW.rail, 'amount', NEW.amount, 'currency', NEW.currency)
      FROM audit_signature;
END;

CREATE TRIGGER promises_audit_outside AFTER UPDATE ON promises
WHEN NOT EXISTS (SELECT 1 FROM session_actor)
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin, 'change', 'promise', lower(hex(NEW.id)),
           json_object('state', OLD.state, 'decision', OLD.decision, 'due_at', OLD.due_at),
           json_object('state', NEW.state, 'decision', NEW.decision, 'due_at', NEW.due_at)
      FROM audit_signature;
END;
