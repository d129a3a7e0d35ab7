-- Saga mode between bankcores: what another bank submits over a rail and waits for the answer to. The same as in a
-- bank.db.

-- asked: it was submitted, so who cannot be credited has it refused, and not put into suspense.
-- code: why it was refused, for good; it stays received, and nothing happens any more.
ALTER TABLE incoming_payments ADD COLUMN asked SMALLINT NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),
    ADD COLUMN code VARCHAR(64) NULL;

-- What was cancelled before it came: whatever is submitted later under the reference is refused, for ever.
CREATE TABLE incoming_cancels (
    rail VARCHAR(32) NOT NULL,
    reference VARCHAR(255) NOT NULL,
    cancelled_at BIGINT NOT NULL,
    PRIMARY KEY (rail, reference),
    CONSTRAINT cancel_rail FOREIGN KEY (rail) REFERENCES rails (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Guards.
CREATE TRIGGER incoming_payments_refused BEFORE UPDATE ON incoming_payments FOR EACH ROW
BEGIN
    IF NEW.asked <> OLD.asked THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_payments: what it is about never changes';
    END IF;
    IF OLD.code IS NOT NULL AND (NOT NEW.code <=> OLD.code OR NEW.state <> OLD.state) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_payments: refused is final';
    END IF;
END;

CREATE TRIGGER incoming_cancels_unchanged BEFORE UPDATE ON incoming_cancels FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_cancels is append-only';
CREATE TRIGGER incoming_cancels_stay BEFORE DELETE ON incoming_cancels FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: incoming_cancels is append-only';
