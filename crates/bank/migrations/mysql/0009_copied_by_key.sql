-- The head moves with every event: whether a copy is still under way is asked for by the key of its one row.
DROP TRIGGER ledger_head_waits;

CREATE TRIGGER ledger_head_waits BEFORE UPDATE ON ledger_head FOR EACH ROW
BEGIN
    IF EXISTS (SELECT 1 FROM copied_from WHERE one = 1 AND finished_us IS NULL) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the books are still being copied here';
    END IF;
END;
