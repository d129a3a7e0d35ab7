-- Saga mode between bankcores: what another bank submits over a rail and waits for the answer to.

-- It was submitted: who cannot be credited has it refused, and not put into suspense.
ALTER TABLE incoming_payments ADD COLUMN asked INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1));
-- Why it was refused, for good: it stays received, and nothing happens any more.
ALTER TABLE incoming_payments ADD COLUMN code TEXT;

-- What was cancelled before it came: whatever is submitted later under the reference is refused, for ever.
CREATE TABLE incoming_cancels (
    rail         TEXT    NOT NULL REFERENCES rails (name),
    reference    TEXT    NOT NULL,
    cancelled_at INTEGER NOT NULL,
    PRIMARY KEY (rail, reference)
) STRICT;

-- Guards.
CREATE TRIGGER incoming_payments_asked_fixed BEFORE UPDATE OF asked ON incoming_payments
WHEN OLD.asked <> NEW.asked
BEGIN SELECT RAISE(ABORT, 'incoming_payments: what a payment is about never changes'); END;
CREATE TRIGGER incoming_payments_refused BEFORE UPDATE ON incoming_payments
WHEN OLD.code IS NOT NULL AND (NEW.code IS NOT OLD.code OR NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'incoming_payments: refused is final'); END;

CREATE TRIGGER incoming_cancels_no_update BEFORE UPDATE ON incoming_cancels
BEGIN SELECT RAISE(ABORT, 'incoming_cancels is append-only'); END;
CREATE TRIGGER incoming_cancels_no_delete BEFORE DELETE ON incoming_cancels
BEGIN SELECT RAISE(ABORT, 'incoming_cancels is append-only'); END;
CREATE TRIGGER incoming_cancels_no_replace BEFORE INSERT ON incoming_cancels
WHEN EXISTS (SELECT 1 FROM incoming_cancels WHERE rail = NEW.rail AND reference = NEW.reference)
BEGIN SELECT RAISE(ABORT, 'incoming_cancels is append-only'); END;
