-- Two-phase commit between bankcores. What this bank has promised another: to credit a customer once it decides. The
-- same tables as in a bank.db.

-- The other side takes part in two-phase commits, and has this long to prepare, µs; null: it does not.
ALTER TABLE rails ADD COLUMN prepare_within BIGINT NULL CHECK (prepare_within > 0);

ALTER TABLE payments ADD COLUMN mode VARCHAR(16) NOT NULL DEFAULT 'saga' CHECK (mode IN ('saga', 'two_phase'));

CREATE TABLE promises (
    id BINARY(16) NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    rail VARCHAR(32) NOT NULL,
    -- The coordinator's: it stands for one promise, for ever.
    reference VARCHAR(255) NOT NULL,
    -- What it is about; nothing of it, if the abort came before the prepare.
    fingerprint BINARY(16) NULL,
    amount BIGINT NULL CHECK (amount > 0),
    currency VARCHAR(3) NULL CHECK (CHAR_LENGTH(currency) = 3),
    clearing_account_id BIGINT NULL,
    account_id BIGINT NULL,
    debtor_name VARCHAR(255) NULL,
    debtor_account VARCHAR(255) NULL,
    beneficiary_name VARCHAR(255) NULL,
    beneficiary_account VARCHAR(255) NULL,
    description VARCHAR(1024) NULL,
    state VARCHAR(16) NOT NULL CHECK (state IN ('preparing', 'prepared', 'refused', 'committing', 'committed',
        'aborting', 'aborted')),
    decision VARCHAR(16) NULL CHECK (decision IN ('commit', 'abort')),
    -- An operator decided, not the coordinator; who, when and why, for ever.
    heuristic SMALLINT NOT NULL CHECK (heuristic IN (0, 1)),
    decided_by VARCHAR(255) NULL,
    decided_at BIGINT NULL,
    decided_why VARCHAR(1024) NULL,
    -- What the coordinator said.
    told VARCHAR(16) NULL CHECK (told IN ('commit', 'abort')),
    -- Why our books refused.
    code VARCHAR(64) NULL,
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    tries BIGINT NOT NULL CHECK (tries >= 0),
    version BIGINT NOT NULL CHECK (version > 0),
    -- From then on the coordinator is asked.
    deadline BIGINT NOT NULL,
    due_at BIGINT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    hold_id BIGINT NULL,
    end_id BIGINT NULL,
    UNIQUE KEY promises_by_reference (rail, reference),
    KEY promises_by_due (due_at),
    KEY promises_by_state (state, number),
    CONSTRAINT promise_decided CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT promise_heuristic CHECK (heuristic = 0
        OR (decision IS NOT NULL AND decided_by IS NOT NULL AND decided_why IS NOT NULL)),
    CONSTRAINT promise_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The timeline of a promise, for ever.
CREATE TABLE promise_transitions (
    promise BINARY(16) NOT NULL,
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
    PRIMARY KEY (promise, version),
    CONSTRAINT transition_promise FOREIGN KEY (promise) REFERENCES promises (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE cases ADD COLUMN promise BINARY(16) NULL,
    ADD CONSTRAINT case_promise FOREIGN KEY (promise) REFERENCES promises (id);

-- Guards.
CREATE TRIGGER promise_transitions_unchanged BEFORE UPDATE ON promise_transitions FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promise_transitions is append-only';
CREATE TRIGGER promise_transitions_stay BEFORE DELETE ON promise_transitions FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promise_transitions is append-only';
CREATE TRIGGER promises_stay BEFORE DELETE ON promises FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promises are never deleted';

CREATE TRIGGER payments_mode_fixed BEFORE UPDATE ON payments FOR EACH ROW
BEGIN
    IF NEW.mode <> OLD.mode THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: payments: what a payment is about never changes';
    END IF;
END;

CREATE TRIGGER promises_fixed BEFORE UPDATE ON promises FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.number <> OLD.number OR NEW.rail <> OLD.rail OR NEW.reference <> OLD.reference
        OR NOT NEW.fingerprint <=> OLD.fingerprint OR NOT NEW.amount <=> OLD.amount
        OR NOT NEW.currency <=> OLD.currency OR NOT NEW.clearing_account_id <=> OLD.clearing_account_id
        OR NOT NEW.account_id <=> OLD.account_id OR NOT NEW.beneficiary_account <=> OLD.beneficiary_account
        OR NEW.deadline <> OLD.deadline OR NEW.created_at <> OLD.created_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promises: what a promise is about never changes';
    END IF;
    IF OLD.decision IS NOT NULL AND (NOT NEW.decision <=> OLD.decision OR NEW.heuristic <> OLD.heuristic
        OR NOT NEW.decided_by <=> OLD.decided_by OR NOT NEW.decided_at <=> OLD.decided_at
        OR NOT NEW.decided_why <=> OLD.decided_why) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promises: a decision never changes';
    END IF;
    IF OLD.state IN ('refused', 'committed', 'aborted') AND NEW.state <> OLD.state THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: promises: an end is final';
    END IF;
END;

-- Audit. The service's own steps are the timeline; what a person decides, and what bypasses the service, is recorded.
CREATE TRIGGER promises_changed AFTER UPDATE ON promises FOR EACH ROW
BEGIN
    IF OLD.heuristic = 0 AND NEW.heuristic = 1 THEN
        INSERT INTO audit_records (action, object, object_id, before_state, after_state)
        VALUES ('decide', 'promise', LOWER(HEX(NEW.id)), JSON_OBJECT('state', OLD.state),
            JSON_OBJECT('decision', NEW.decision, 'reason', NEW.decided_why, 'reference', NEW.reference,
                'rail', NEW.rail, 'amount', NEW.amount, 'currency', NEW.currency));
    END IF;
    IF @bankcore_actor IS NULL THEN
        INSERT INTO audit_records (action, object, object_id, before_state, after_state)
        VALUES ('change', 'promise', LOWER(HEX(NEW.id)),
            JSON_OBJECT('state', OLD.state, 'decision', OLD.decision, 'due_at', OLD.due_at),
            JSON_OBJECT('state', NEW.state, 'decision', NEW.decision, 'due_at', NEW.due_at));
    END IF;
END;
