-- What the database itself refuses, whoever asks, and what it writes down.
--
-- Ledger tables are appended to. A transaction is inserted open, then its entries, then it is posted: the one
-- permitted update, and the place where it is checked, since there are no deferred constraints. The head moves
-- only over events that are all there and transactions that are all posted.

CREATE TRIGGER ledger_head_moves BEFORE UPDATE ON ledger_head FOR EACH ROW
BEGIN
    IF NEW.bank_id <> OLD.bank_id OR NEW.timeline < OLD.timeline OR NEW.time_us < OLD.time_us
        OR NEW.sequence <= OLD.sequence OR NEW.accounts < OLD.accounts OR NEW.names < OLD.names THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the head of the ledger only moves forward';
    END IF;
    -- Every transaction has its event: a foreign key says so.
    IF (SELECT COUNT(*) <> NEW.sequence - OLD.sequence OR SUM(e.kind = 5) <> COUNT(t.id)
                OR SUM(e.kind = 5 AND COALESCE(t.status = 'POSTED', FALSE)) <> COUNT(t.id)
            FROM events AS e LEFT JOIN transactions AS t ON t.id = e.sequence
            WHERE e.sequence > OLD.sequence AND e.sequence <= NEW.sequence) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the head moves over events that are there and transactions that are posted';
    END IF;
END;

CREATE TRIGGER ledger_head_moved AFTER UPDATE ON ledger_head FOR EACH ROW
INSERT INTO audit_log (at_us, action, table_name, row_id, old_values, new_values, actor, database_user, connection_id)
VALUES (CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), 'UPDATE', 'ledger_head', 1,
    CONCAT('sequence=', OLD.sequence), CONCAT('sequence=', NEW.sequence, ' hash=', HEX(NEW.hash)),
    @bankcore_actor, USER(), CONNECTION_ID());

CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_head FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the head of the ledger stays';

CREATE TRIGGER events_unchanged BEFORE UPDATE ON events FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: an event never changes';

CREATE TRIGGER events_stay BEFORE DELETE ON events FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: an event is never deleted';

CREATE TRIGGER names_unchanged BEFORE UPDATE ON names FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a name keeps its number';

CREATE TRIGGER names_stay BEFORE DELETE ON names FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a name is never deleted';

CREATE TRIGGER transactions_open BEFORE INSERT ON transactions FOR EACH ROW
BEGIN
    IF NEW.status <> 'OPEN' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a transaction begins open';
    END IF;
END;

CREATE TRIGGER transactions_post BEFORE UPDATE ON transactions FOR EACH ROW
BEGIN
    IF OLD.status <> 'OPEN' OR NEW.status <> 'POSTED' OR NEW.id <> OLD.id OR NEW.entry_count <> OLD.entry_count
        OR NEW.transaction_type <> OLD.transaction_type OR NEW.booking_date <> OLD.booking_date
        OR NEW.value_date <> OLD.value_date OR NEW.time_us <> OLD.time_us
        OR NEW.principal_id <> OLD.principal_id OR NEW.actor_id <> OLD.actor_id OR NEW.origin_id <> OLD.origin_id
        OR NOT NEW.hold_id <=> OLD.hold_id OR NOT NEW.original_id <=> OLD.original_id
        OR NOT NEW.reference <=> OLD.reference OR NOT NEW.reference_digest <=> OLD.reference_digest
        OR NOT NEW.description <=> OLD.description THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a posted transaction never changes';
    END IF;
    -- One question for nearly all: another one only if there are several currencies, or something is wrong.
    IF (SELECT COUNT(*) <> OLD.entry_count OR SUM(IF(entry_type = 'DEBIT', amount, -amount)) <> 0
                OR MIN(currency) <> MAX(currency)
            FROM ledger_entries WHERE transaction_id = OLD.id) THEN
        IF (SELECT COUNT(*) FROM ledger_entries WHERE transaction_id = OLD.id) <> OLD.entry_count
            OR EXISTS (SELECT currency FROM ledger_entries WHERE transaction_id = OLD.id GROUP BY currency
                HAVING SUM(IF(entry_type = 'DEBIT', amount, -amount)) <> 0) THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a transaction balances in every currency';
        END IF;
    END IF;
END;

CREATE TRIGGER transactions_stay BEFORE DELETE ON transactions FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a transaction is never deleted';

CREATE TRIGGER ledger_entries_open BEFORE INSERT ON ledger_entries FOR EACH ROW
BEGIN
    IF (SELECT status FROM transactions WHERE id = NEW.transaction_id) <> 'OPEN' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a posted transaction takes no entries';
    END IF;
END;

CREATE TRIGGER ledger_entries_unchanged BEFORE UPDATE ON ledger_entries FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: an entry never changes';

CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: an entry is never deleted';

CREATE TRIGGER account_events_unchanged BEFORE UPDATE ON account_events FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: history never changes';

CREATE TRIGGER account_events_stay BEFORE DELETE ON account_events FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: history is never deleted';

-- A balance changes only together with events that are about to be covered by the head.
CREATE TRIGGER account_balances_follow BEFORE UPDATE ON account_balances FOR EACH ROW
BEGIN
    IF NEW.account_id <> OLD.account_id OR NEW.normal_side <> OLD.normal_side OR NEW.version <= OLD.version
        OR NEW.debits_posted < OLD.debits_posted OR NEW.credits_posted < OLD.credits_posted
        OR NEW.debits_held < OLD.debits_held OR NEW.credits_held < OLD.credits_held
        OR NEW.debits_released < OLD.debits_released OR NEW.credits_released < OLD.credits_released
        OR NEW.debits_released > NEW.debits_held OR NEW.credits_released > NEW.credits_held
        OR NEW.last_sequence <= (SELECT sequence FROM ledger_head WHERE id = 1) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a balance changes only with an entry';
    END IF;
END;

CREATE TRIGGER account_balances_stay BEFORE DELETE ON account_balances FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a balance is never deleted';

CREATE TRIGGER accounts_keep BEFORE UPDATE ON accounts FOR EACH ROW
BEGIN
    IF NEW.id <> OLD.id OR NEW.number_digest <> OLD.number_digest OR NEW.account_type <> OLD.account_type
        OR NEW.currency <> OLD.currency OR NEW.owner_id <> OLD.owner_id OR NEW.opened_by <> OLD.opened_by
        OR OLD.status = 'CLOSED' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: of an account only the status changes';
    END IF;
END;

CREATE TRIGGER accounts_opened AFTER INSERT ON accounts FOR EACH ROW
INSERT INTO audit_log (at_us, action, table_name, row_id, old_values, new_values, actor, database_user, connection_id)
VALUES (CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), 'INSERT', 'accounts', NEW.id, NULL,
    CONCAT('number=', NEW.number, ' type=', NEW.account_type, ' status=', NEW.status, ' owner=', NEW.owner_id),
    @bankcore_actor, USER(), CONNECTION_ID());

CREATE TRIGGER accounts_changed AFTER UPDATE ON accounts FOR EACH ROW
INSERT INTO audit_log (at_us, action, table_name, row_id, old_values, new_values, actor, database_user, connection_id)
VALUES (CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), 'UPDATE', 'accounts', NEW.id,
    CONCAT('name=', OLD.name, ' status=', OLD.status), CONCAT('name=', NEW.name, ' status=', NEW.status),
    @bankcore_actor, USER(), CONNECTION_ID());

CREATE TRIGGER accounts_stay BEFORE DELETE ON accounts FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: an account is never deleted';

CREATE TRIGGER holds_end BEFORE UPDATE ON holds FOR EACH ROW
BEGIN
    IF OLD.ended_by IS NOT NULL OR NEW.ended_by IS NULL OR NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id
        OR NOT NEW.receiver_id <=> OLD.receiver_id OR NEW.side <> OLD.side OR NEW.amount <> OLD.amount
        OR NEW.currency <> OLD.currency OR NEW.expires_us <> OLD.expires_us OR NEW.end_digest <> OLD.end_digest THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a hold ends once and changes otherwise never';
    END IF;
END;

CREATE TRIGGER holds_stay BEFORE DELETE ON holds FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a hold is never deleted';

CREATE TRIGGER idempotency_keys_unchanged BEFORE UPDATE ON idempotency_keys FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a used key never changes';

CREATE TRIGGER idempotency_keys_stay BEFORE DELETE ON idempotency_keys FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a used key is kept for ever';

CREATE TRIGGER balance_breaks_close BEFORE UPDATE ON balance_breaks FOR EACH ROW
BEGIN
    IF OLD.closed_us IS NOT NULL OR NEW.closed_us IS NULL OR NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id
        OR NEW.found_us <> OLD.found_us OR NEW.as_of <> OLD.as_of OR NEW.cached_balance <> OLD.cached_balance
        OR NEW.entries_balance <> OLD.entries_balance OR NEW.found_by <> OLD.found_by THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a finding is closed once and changes otherwise never';
    END IF;
END;

CREATE TRIGGER balance_breaks_closed AFTER UPDATE ON balance_breaks FOR EACH ROW
INSERT INTO audit_log (at_us, action, table_name, row_id, old_values, new_values, actor, database_user, connection_id)
VALUES (CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), 'UPDATE', 'balance_breaks', NEW.id, 'open',
    LEFT(CONCAT('closed by=', NEW.closed_by, ' reason=', NEW.reason), 1000), @bankcore_actor, USER(), CONNECTION_ID());

CREATE TRIGGER balance_breaks_stay BEFORE DELETE ON balance_breaks FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: a finding is never deleted';

CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the audit log never changes';

CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log FOR EACH ROW
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the audit log is never deleted from';
