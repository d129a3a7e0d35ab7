-- Deposit, withdrawal, transfer and the check of a balance, for any client of the database.
--
--  sp_deposit ──┐
--  sp_withdraw ─┼─► bankcore_move ─► bankcore_name        who asks, if nobody has heard of them yet
--  sp_transfer ─┘        ├─────────► bankcore_refusal     a refusal as a sentence (docs/rules.md)
--  sp_rebuild_balance ───┴─────────► bankcore_break       a balance that its entries do not explain
--                                      └─► bankcore_record, the bytes of an event (docs/event-format.md)
--
-- They are the same bank as the service: same keys, same rules in the same order, same bytes, same chain. One
-- call is one database transaction of its own, at READ COMMITTED, in three steps:
--
--   read    who asks, which accounts, was the key used: no locks, so a repeated request waits for nobody
--   lock    the balances in the order of their ids, each held against its newest entry; and last the head:
--           whoever has it is alone, so all that can be made ready is made before
--   write   an event and what follows from it, or the event of a refusal; commit
--
-- Whatever a rule can refuse is refused before the first write, so a refusal has nothing to undo. FAILED is the
-- bank's answer, and its message begins with a stable code. An SQL error is no answer: all is rolled back and the
-- error is passed on as it came. After 1205, 1213 and 1020, and after a lost connection, call again with the same
-- key: it posts once.
--
-- A status of an account and its balances change only under the lock of its row in account_balances. Types are
-- numbers here as they are in events: an ENUM plus zero is its place in the list, from 1.

CREATE FUNCTION bankcore_record(
    p_kind TINYINT UNSIGNED,
    p_variant TINYINT UNSIGNED,
    p_sequence BIGINT UNSIGNED,
    p_time_us BIGINT,
    p_day INT,
    -- Each of these as hexadecimal digits: principal to fingerprint, the entries, the rare fields.
    p_request VARCHAR(96) CHARACTER SET utf8mb4,
    p_entries VARCHAR(176) CHARACTER SET utf8mb4,
    p_fields VARCHAR(2000) CHARACTER SET utf8mb4
) RETURNS VARBINARY(1200) DETERMINISTIC NO SQL SQL SECURITY DEFINER
RETURN UNHEX(CONCAT(
    LPAD(HEX(p_kind), 2, '0'),
    LPAD(HEX(p_variant), 2, '0'),
    -- 84 is the header and the journal's last four bytes, 88 digits are an entry, with 8 bytes to skip by.
    LPAD(HEX((84 + (LENGTH(p_entries) + LENGTH(p_fields)) DIV 2 + LENGTH(p_entries) DIV 88 * 8 + 63) DIV 64), 2, '0'),
    LPAD(HEX(LENGTH(p_entries) DIV 88), 2, '0'),
    LPAD(HEX(80 + (LENGTH(p_entries) + LENGTH(p_fields)) DIV 2), 4, '0'),
    '0000',
    LPAD(HEX(p_sequence), 16, '0'),
    LPAD(HEX(p_time_us), 16, '0'),
    REPEAT(RIGHT(LPAD(HEX(p_day), 16, '0'), 8), 2),
    p_request, p_entries, p_fields));

CREATE FUNCTION bankcore_major(p_minor DECIMAL(39, 0), p_exponent TINYINT UNSIGNED)
RETURNS VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin DETERMINISTIC NO SQL SQL SECURITY DEFINER
BEGIN
    DECLARE v_digits VARCHAR(44) CHARACTER SET ascii COLLATE ascii_bin DEFAULT CAST(ABS(p_minor) AS CHAR);
    SET v_digits = LPAD(v_digits, GREATEST(LENGTH(v_digits), p_exponent + 1), '0');
    RETURN CONCAT(IF(p_minor < 0, '-', ''), LEFT(v_digits, LENGTH(v_digits) - p_exponent),
        IF(p_exponent = 0, '', '.'), RIGHT(v_digits, p_exponent));
END;

CREATE FUNCTION bankcore_refusal(
    p_code SMALLINT UNSIGNED,
    p_account BIGINT,
    p_currency SMALLINT UNSIGNED,
    p_first BIGINT,
    p_second BIGINT
) RETURNS VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin READS SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE v_unit CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
        DEFAULT (SELECT code FROM currencies WHERE numeric_code = p_currency);
    DECLARE v_exponent TINYINT UNSIGNED DEFAULT (SELECT exponent FROM currencies WHERE numeric_code = p_currency);
    RETURN CASE p_code
        WHEN 1 THEN CONCAT('insufficient_funds: Account ', p_account, ' has ', bankcore_major(p_first, v_exponent),
            ' ', v_unit, ' available, ', bankcore_major(p_second, v_exponent), ' is needed.')
        WHEN 2 THEN CONCAT('account_pending: A pending account takes no entries. Account: ', p_account, '.')
        WHEN 3 THEN CONCAT('account_frozen: A frozen account takes no ordinary entries on either side. Account: ',
            p_account, '.')
        WHEN 4 THEN CONCAT('account_closed: A closed account takes no entries, for ever. Account: ', p_account, '.')
        WHEN 5 THEN CONCAT('balance_overflow: Account ', p_account, ' stands at ', bankcore_major(p_first, v_exponent),
            ' ', v_unit, '; ', bankcore_major(p_second, v_exponent), ' more does not fit.')
        WHEN 6 THEN 'no_open_day: Every transaction belongs to an open business day.'
        WHEN 41 THEN CONCAT('currency_mismatch: Account ', p_account, ' is in ', v_unit, '.')
        WHEN 42 THEN CONCAT('same_account: Money moves between different accounts. Account: ', p_account, '.')
        WHEN 45 THEN CONCAT('wrong_account_type: Cash moves between an asset and a customer''s liability; ',
            'a transfer joins accounts of one normal side. Account: ', p_account, '.')
        WHEN 70 THEN CONCAT('account_not_found: Entries are made on accounts of this bank. Account: ', p_account, '.')
    END;
END;

-- The numbers of a principal and of an actor; what has none yet is given one by an event.
CREATE PROCEDURE bankcore_name(
    IN p_principal VARBINARY(128),
    IN p_actor VARBINARY(128),
    OUT p_principal_id INT UNSIGNED,
    OUT p_actor_id INT UNSIGNED
) MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE v_kind TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_name VARBINARY(128) DEFAULT p_principal;
    DECLARE v_id, v_names INT UNSIGNED;
    DECLARE v_sequence BIGINT UNSIGNED;
    DECLARE v_time_us BIGINT;
    DECLARE v_day INT;
    DECLARE v_hash BINARY(32);
    DECLARE v_record VARBINARY(300);
    SELECT sequence, hash, names, GREATEST(time_us, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))),
            DATEDIFF(COALESCE(open_day, newest_day), '1970-01-01')
        INTO v_sequence, v_hash, v_names, v_time_us, v_day
        FROM ledger_head WHERE id = 1 FOR UPDATE;
    IF v_sequence IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: no bank was opened in this database';
    END IF;
    WHILE v_kind <= 2 DO
        SET v_id = (SELECT id FROM names WHERE kind = v_kind AND name = v_name);
        IF v_id IS NULL THEN
            SET v_id = v_names + 1, v_names = v_id, v_sequence = v_sequence + 1,
                v_record = bankcore_record(2, v_kind, v_sequence, v_time_us,
                    COALESCE(v_day, v_time_us DIV 86400000000), REPEAT('0', 96), '', CONCAT(
                    '1C0000000004', LPAD(HEX(v_id), 8, '0'),
                    '11000000', LPAD(HEX(OCTET_LENGTH(v_name)), 4, '0'), HEX(v_name))),
                v_hash = UNHEX(SHA2(CONCAT(v_hash, v_record), 256));
            INSERT INTO events (sequence, kind, variant, record) VALUES (v_sequence, 2, v_kind, v_record);
            INSERT INTO names (id, kind, name) VALUES (v_id, v_kind, v_name);
        END IF;
        IF v_kind = 1 THEN
            SET p_principal_id = v_id, v_name = p_actor;
        ELSE
            SET p_actor_id = v_id;
        END IF;
        SET v_kind = v_kind + 1;
    END WHILE;
    UPDATE ledger_head SET sequence = v_sequence, hash = v_hash, time_us = v_time_us, names = v_names
        WHERE id = 1 AND sequence < v_sequence;
END;

-- What became of the event that used the key.
CREATE PROCEDURE bankcore_answer(
    IN p_sequence BIGINT UNSIGNED,
    OUT p_transaction_id BIGINT UNSIGNED,
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) READS SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE v_kind TINYINT UNSIGNED;
    DECLARE v_refusal VARBINARY(30);
    SELECT kind, RIGHT(record, 30) INTO v_kind, v_refusal FROM events WHERE sequence = p_sequence;
    IF v_kind = 5 THEN
        SET p_transaction_id = p_sequence, p_status = 'COMPLETED',
            p_message = CONCAT('Transaction ', p_sequence, ' is posted.');
    ELSE
        SET p_transaction_id = NULL, p_status = 'FAILED', p_message = bankcore_refusal(
            CONV(HEX(SUBSTRING(v_refusal, 1, 2)), 16, 10),
            CONV(HEX(SUBSTRING(v_refusal, 3, 8)), 16, 10),
            CONV(HEX(SUBSTRING(v_refusal, 11, 2)), 16, 10),
            CONV(HEX(SUBSTRING(v_refusal, 13, 8)), 16, -10),
            CONV(HEX(SUBSTRING(v_refusal, 21, 8)), 16, -10));
    END IF;
END;

-- A balance that its entries do not explain. Nothing is overwritten: it is written down, once for each difference,
-- and a customer's account is frozen, by the event that the service writes. The bank's own accounts go on. The
-- row is locked already; the caller commits.
CREATE PROCEDURE bankcore_break(
    IN p_account_id BIGINT,
    -- What the entries say; without it the newest of them does.
    IN p_entries DECIMAL(39, 0),
    IN p_found_by VARCHAR(255) CHARACTER SET utf8mb4,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE v_note VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin
        DEFAULT 'the database has another balance for this account than its entries say';
    DECLARE v_type, v_status, v_exponent TINYINT UNSIGNED;
    DECLARE v_currency SMALLINT UNSIGNED;
    DECLARE v_unit CHAR(3) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_cached, v_entries, v_noted DECIMAL(39, 0);
    DECLARE v_version, v_last, v_sequence BIGINT UNSIGNED;
    DECLARE v_time_us BIGINT;
    DECLARE v_day INT;
    DECLARE v_hash BINARY(32);
    DECLARE v_record VARBINARY(300);
    DECLARE v_frozen BOOLEAN DEFAULT FALSE;
    SELECT a.account_type + 0, a.status + 0, a.currency, c.code, c.exponent,
            IF(a.account_type IN ('ASSET', 'EXPENSE'), b.debits_posted - b.credits_posted, b.credits_posted - b.debits_posted)
        INTO v_type, v_status, v_currency, v_unit, v_exponent, v_cached
        FROM account_balances AS b JOIN accounts AS a ON a.id = b.account_id
        JOIN currencies AS c ON c.numeric_code = a.currency WHERE b.account_id = p_account_id;
    SET v_entries = COALESCE(p_entries, (SELECT balance_after FROM ledger_entries WHERE account_id = p_account_id
        ORDER BY version DESC, position DESC LIMIT 1), 0);
    SELECT sequence, hash, GREATEST(time_us, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))),
            DATEDIFF(COALESCE(open_day, newest_day), '1970-01-01')
        INTO v_sequence, v_hash, v_time_us, v_day
        FROM ledger_head WHERE id = 1 FOR UPDATE;
    SET v_cached = GREATEST(LEAST(v_cached, 9223372036854775807), -9223372036854775808),
        v_entries = GREATEST(LEAST(v_entries, 9223372036854775807), -9223372036854775808),
        v_noted = (SELECT CAST(cached_balance AS DECIMAL(39, 0)) - entries_balance FROM balance_breaks
            WHERE account_id = p_account_id AND closed_us IS NULL ORDER BY id DESC LIMIT 1);
    IF NOT v_noted <=> v_cached - v_entries THEN
        INSERT INTO balance_breaks (account_id, found_us, as_of, cached_balance, entries_balance, found_by)
            VALUES (p_account_id, v_time_us, v_sequence, v_cached, v_entries, p_found_by);
    END IF;
    IF v_type = 2 AND v_status = 2 THEN
        -- The row is in doubt, so the link and the version come from the history.
        SELECT COALESCE(MAX(version), 0) INTO v_version FROM (
            SELECT MAX(version) AS version FROM ledger_entries WHERE account_id = p_account_id
            UNION ALL SELECT MAX(version) FROM account_events WHERE account_id = p_account_id) AS history;
        SELECT MAX(sequence) INTO v_last FROM (
            SELECT transaction_id AS sequence FROM ledger_entries WHERE account_id = p_account_id AND version = v_version
            UNION ALL SELECT sequence FROM account_events WHERE account_id = p_account_id AND version = v_version) AS newest;
        SET v_frozen = TRUE, v_sequence = v_sequence + 1, v_version = v_version + 1,
            v_record = bankcore_record(4, 0, v_sequence, v_time_us, COALESCE(v_day, v_time_us DIV 86400000000), REPEAT('0', 96),
                CONCAT(LPAD(HEX(p_account_id), 16, '0'), REPEAT('0', 16), LPAD(HEX(CAST(v_entries AS SIGNED)), 16, '0'),
                    LPAD(HEX(v_last), 16, '0'), LPAD(HEX(v_version), 16, '0'), LPAD(HEX(v_currency), 4, '0'), '0004'),
                CONCAT('02000000', LPAD(HEX(OCTET_LENGTH(v_note)), 4, '0'), HEX(v_note), '1400000000020203'));
        INSERT INTO events (sequence, kind, variant, record) VALUES (v_sequence, 4, 0, v_record);
        INSERT INTO account_events (account_id, version, sequence) VALUES (p_account_id, v_version, v_sequence);
        INSERT INTO outbox (sequence, kind) VALUES (v_sequence, 4);
        -- Added to, as by any event: what was off stays off.
        UPDATE account_balances SET version = version + 1, last_sequence = v_sequence WHERE account_id = p_account_id;
        UPDATE accounts SET status = 'FROZEN' WHERE id = p_account_id;
        UPDATE ledger_head SET sequence = v_sequence, time_us = v_time_us,
            hash = UNHEX(SHA2(CONCAT(v_hash, v_record), 256)) WHERE id = 1;
    END IF;
    SET p_message = CONCAT('balance_differs: Account ', p_account_id, ' stands at ', bankcore_major(v_cached, v_exponent),
        ' ', v_unit, ', its entries say ', bankcore_major(v_entries, v_exponent), '. Nothing was overwritten.',
        IF(v_frozen, ' The account is frozen.', ''));
END;

-- One movement. `from` and `to` are the two entries in their order; of a deposit (1) `from` is the drawer, of a
-- withdrawal (2) `to` is, of a transfer (3) both are named.
CREATE PROCEDURE bankcore_move(
    IN p_variant TINYINT UNSIGNED,
    IN p_from BIGINT,
    IN p_to BIGINT,
    IN p_amount DECIMAL(38, 18),
    IN p_description TEXT CHARACTER SET utf8mb4,
    IN p_performer VARBINARY(300),
    IN p_key VARBINARY(300),
    OUT p_transaction_id BIGINT UNSIGNED,
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
call_of_its_own: BEGIN
    DECLARE v_max DECIMAL(39, 0) DEFAULT 9223372036854775807;
    DECLARE v_actor_before TEXT CHARACTER SET utf8mb4;
    DECLARE v_principal_id, v_actor_id INT UNSIGNED;
    DECLARE v_from, v_to, v_account, v_minor, v_time_us, v_refused, v_first, v_second BIGINT;
    DECLARE v_from_type, v_to_type, v_from_status, v_to_status, v_status, v_exponent TINYINT UNSIGNED;
    DECLARE v_currency, v_from_currency, v_to_currency, v_code, v_figures_in SMALLINT UNSIGNED;
    DECLARE v_scaled DECIMAL(60, 18);
    DECLARE v_claim, v_fingerprint, v_used_fingerprint BINARY(16);
    DECLARE v_used, v_sequence, v_version, v_from_version, v_to_version, v_last, v_from_last, v_to_last BIGINT UNSIGNED;
    DECLARE v_entry_version, v_entry_sequence, v_broken, v_broken_too BIGINT UNSIGNED;
    -- How each account stands, and how much may move on it.
    DECLARE v_ledger, v_from_ledger, v_to_ledger, v_entry_balance, v_room, v_from_room, v_to_room DECIMAL(39, 0);
    DECLARE v_from_debited BOOLEAN;
    DECLARE v_open_day DATE;
    DECLARE v_day INT;
    DECLARE v_hash BINARY(32);
    -- Of the record, in hexadecimal digits: what begins it, the request, the entries, the rare field.
    DECLARE v_start VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_request VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_entries VARCHAR(176) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_note VARCHAR(1036) CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_record VARBINARY(1200);
    SET p_transaction_id = NULL, p_status = 'FAILED', p_message = CASE
        WHEN (p_variant <> 1 AND p_from IS NULL) OR (p_variant <> 2 AND p_to IS NULL) THEN
            'malformed_request: An account is missing.'
        WHEN p_amount IS NULL THEN 'malformed_request: The amount is missing.'
        WHEN p_performer IS NULL OR LENGTH(p_performer) NOT BETWEEN 1 AND 64 OR LEFT(p_performer, 9) = 'internal:'
            OR CONVERT(p_performer USING latin1) REGEXP '[^A-Za-z0-9._:-]' THEN
            'malformed_request: Who asks is named by 1 to 64 characters out of A-Z a-z 0-9 . _ : -, not internal:.'
        WHEN p_key IS NULL THEN 'idempotency_key_missing: A request that moves money names its intent by a key.'
        WHEN LENGTH(p_key) NOT BETWEEN 1 AND 255 OR CONVERT(p_key USING latin1) REGEXP '[^ -~]' THEN
            'idempotency_key_malformed: A key has 1 to 255 printable ASCII characters.'
        WHEN p_description REGEXP '[[:cntrl:]]' THEN 'malformed_request: The description holds a control character.'
        WHEN OCTET_LENGTH(p_description) > 512 THEN CONCAT(
            'text_too_long: Texts have limits, so that a record has one. bytes: ', OCTET_LENGTH(p_description),
            '. maximum: 512.')
        WHEN p_amount <= 0 THEN 'amount_not_positive: Something must move.'
        -- Whoever sets the time of a session would set the bank's, which never goes back.
        WHEN ABS(TIMESTAMPDIFF(SECOND, NOW(), SYSDATE())) > 300 THEN
            'clock_jumped: This session has a time of its own; nothing is written by it.'
    END;
    IF p_message IS NOT NULL THEN
        LEAVE call_of_its_own;
    END IF;
    BEGIN
        DECLARE EXIT HANDLER FOR 1568
            SET p_message = 'transaction_in_progress: This call is a transaction of its own; end yours first.';
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    END;
    IF p_message IS NOT NULL THEN
        LEAVE call_of_its_own;
    END IF;
    SET v_actor_before = @bankcore_actor, @bankcore_actor = CONVERT(p_performer USING latin1);
    deciding: BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            SET @bankcore_actor = v_actor_before;
            RESIGNAL;
        END;
        START TRANSACTION;
        unwritten: BEGIN
            -- One row after another: a join of as many tables takes three times as long.
            SET v_principal_id = (SELECT id FROM names WHERE kind = 'PRINCIPAL' AND name = p_performer),
                v_actor_id = (SELECT id FROM names WHERE kind = 'ACTOR' AND name = p_performer);
            IF p_variant <> 3 THEN
                SET v_account = (SELECT drawer_account_id FROM tellers WHERE banker = p_performer);
                IF v_account IS NULL THEN
                    SET p_message = 'drawer_required: Cash goes through a drawer: this banker has none in the table tellers.';
                    LEAVE unwritten;
                END IF;
            END IF;
            SELECT f.id, f.account_type + 0, f.currency, t.id, t.account_type + 0, t.currency, c.numeric_code, c.exponent
                INTO v_from, v_from_type, v_from_currency, v_to, v_to_type, v_to_currency, v_currency, v_exponent
                FROM ledger_head AS h
                LEFT JOIN accounts AS f ON f.id = IF(p_variant = 1, v_account, p_from)
                LEFT JOIN accounts AS t ON t.id = IF(p_variant = 2, v_account, p_to)
                LEFT JOIN currencies AS c ON c.numeric_code = IF(p_variant = 1, t.currency, f.currency)
                WHERE h.id = 1;
            SET v_scaled = p_amount *
                CASE v_exponent WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100 WHEN 3 THEN 1000 WHEN 4 THEN 10000 END;
            SET p_message = CASE
                WHEN v_scaled <> TRUNCATE(v_scaled, 0) THEN
                    'too_many_decimals: The amount has more decimals than its currency; amounts are never rounded.'
                WHEN v_scaled > v_max THEN 'amount_too_large: The amount is more than an account can hold.'
            END;
            IF p_message IS NOT NULL THEN
                LEAVE unwritten;
            END IF;
            IF p_description <> '' THEN
                SET v_note = CONCAT('02000000', LPAD(HEX(OCTET_LENGTH(p_description)), 4, '0'),
                    HEX(CAST(p_description AS BINARY)));
            END IF;
            -- NULL, which equals no fingerprint, if an account is not there.
            SET v_minor = v_scaled, v_fingerprint = LEFT(UNHEX(SHA2(UNHEX(CONCAT(
                LPAD(HEX(p_variant), 2, '0'), LPAD(HEX(v_from), 16, '0'), LPAD(HEX(v_to), 16, '0'),
                LPAD(HEX(v_minor), 16, '0'), LPAD(HEX(v_currency), 4, '0'), '0000',
                IF(v_note = '', '00', CONCAT('01', SUBSTRING(v_note, 9))))), 256)), 16);
            IF v_principal_id IS NOT NULL THEN
                SET v_claim = LEFT(UNHEX(SHA2(CONCAT(x'6B6579', UNHEX(LPAD(HEX(v_principal_id), 8, '0')), p_key), 256)), 16),
                    v_used = (SELECT sequence FROM idempotency_keys WHERE digest = v_claim);
                IF v_used IS NOT NULL THEN
                    LEAVE unwritten;
                END IF;
            END IF;
            SET p_message = CASE
                WHEN v_from IS NULL THEN bankcore_refusal(70, p_from, 0, 0, 0)
                WHEN p_variant <> 3 AND v_from_type <> p_variant THEN bankcore_refusal(45, v_from, 0, 0, 0)
                WHEN v_to IS NULL THEN bankcore_refusal(70, p_to, 0, 0, 0)
                WHEN p_variant <> 3 AND v_to_type <> 3 - p_variant THEN bankcore_refusal(45, v_to, 0, 0, 0)
                WHEN p_variant = 3 AND (v_from_type IN (1, 5)) <> (v_to_type IN (1, 5)) THEN
                    bankcore_refusal(45, v_to, 0, 0, 0)
                WHEN v_from = v_to THEN bankcore_refusal(42, v_from, 0, 0, 0)
            END;
            IF p_message IS NOT NULL THEN
                LEAVE unwritten;
            END IF;
            IF v_principal_id IS NULL OR v_actor_id IS NULL THEN
                CALL bankcore_name(p_performer, p_performer, v_principal_id, v_actor_id);
                COMMIT AND NO CHAIN NO RELEASE;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                START TRANSACTION;
            END IF;
            SET v_claim = LEFT(UNHEX(SHA2(CONCAT(x'6B6579', UNHEX(LPAD(HEX(v_principal_id), 8, '0')), p_key), 256)), 16),
                v_request = CONCAT(LPAD(HEX(v_principal_id), 8, '0'), LPAD(HEX(v_actor_id), 8, '0'),
                    REPEAT('0', 16), HEX(v_claim), HEX(v_fingerprint)),
                -- Two entries of 44 bytes behind a header of 80; slots of 64 hold them with the journal's twenty.
                v_start = CONCAT('05', LPAD(HEX(p_variant), 2, '0'), LPAD(HEX((251 + LENGTH(v_note) DIV 2) DIV 64), 2, '0'), '02',
                    LPAD(HEX(168 + LENGTH(v_note) DIV 2), 4, '0'), '0000'),
                v_from_debited = p_variant <> 3 OR v_from_type IN (2, 3, 4);
            -- One account after the other, in the order of their ids. What may go out is what is available, what may
            -- come in is what fits, with all that is promised. Who edited a row by hand would have the next entries
            -- continue it: so each must say what its newest entry and its newest event say.
            SET v_account = LEAST(v_from, v_to);
            looking: LOOP
                SET v_version = NULL, v_entry_version = NULL, v_entry_sequence = NULL, v_entry_balance = 0;
                SELECT b.version, b.last_sequence, b.ledger_balance, a.status + 0,
                        IF(p_variant = 1 OR p_variant = 3 AND v_account = v_to,
                            v_max - b.ledger_balance - IF(b.normal_side = 'DEBIT',
                                b.debits_held - b.debits_released, b.credits_held - b.credits_released),
                            CAST(b.ledger_balance AS DECIMAL(39, 0)) - b.reserved + b.overdraft_limit)
                    INTO v_version, v_last, v_ledger, v_status, v_room
                    FROM account_balances AS b STRAIGHT_JOIN accounts AS a
                    WHERE b.account_id = v_account AND a.id = v_account FOR UPDATE;
                IF v_version IS NULL THEN
                    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bankcore: the balance of an account has no row';
                END IF;
                SELECT version, transaction_id, balance_after INTO v_entry_version, v_entry_sequence, v_entry_balance
                    FROM ledger_entries WHERE account_id = v_account ORDER BY version DESC, position DESC LIMIT 1;
                IF v_ledger <> v_entry_balance OR NOT v_entry_version <=> v_version OR NOT v_entry_sequence <=> v_last THEN
                    -- The newest event may be one that posted nothing.
                    IF v_ledger <> v_entry_balance OR v_entry_version > v_version OR NOT EXISTS (
                        SELECT 1 FROM account_events
                            WHERE account_id = v_account AND version = v_version AND sequence = v_last) THEN
                        SET v_broken_too = v_broken, v_broken = v_account;
                    END IF;
                END IF;
                IF v_account = v_from THEN
                    SET v_from_version = v_version + 1, v_from_last = v_last, v_from_ledger = v_ledger,
                        v_from_status = v_status, v_from_room = v_room;
                ELSE
                    SET v_to_version = v_version + 1, v_to_last = v_last, v_to_ledger = v_ledger,
                        v_to_status = v_status, v_to_room = v_room;
                END IF;
                IF v_account = GREATEST(v_from, v_to) THEN
                    LEAVE looking;
                END IF;
                SET v_account = GREATEST(v_from, v_to);
            END LOOP;
            IF v_broken IS NOT NULL THEN
                CALL bankcore_break(COALESCE(v_broken_too, v_broken), NULL,
                    LEFT(CONCAT(@bankcore_actor, ' as ', USER()), 255), p_message);
                IF v_broken_too IS NOT NULL THEN
                    CALL bankcore_break(v_broken, NULL, LEFT(CONCAT(@bankcore_actor, ' as ', USER()), 255), p_message);
                END IF;
                COMMIT AND NO CHAIN NO RELEASE;
                LEAVE deciding;
            END IF;
            -- As the rules go: line by line, and of a line the currency, the status, the funds or the room.
            SET v_refused = v_from, v_code = CASE
                WHEN v_from_currency <> v_currency THEN 41
                WHEN v_from_status <> 2 THEN IF(v_from_status = 1, 2, v_from_status)
                WHEN v_minor > v_from_room THEN IF(p_variant = 1, 5, 1)
            END;
            IF v_code IS NULL THEN
                SET v_refused = v_to, v_code = CASE
                    WHEN v_to_currency <> v_currency THEN 41
                    WHEN v_to_status <> 2 THEN IF(v_to_status = 1, 2, v_to_status)
                    WHEN v_minor > v_to_room THEN IF(p_variant = 2, 1, 5)
                END;
            END IF;
            IF v_code IS NULL THEN
                SET v_from_ledger = v_from_ledger + IF(p_variant = 1, v_minor, -v_minor),
                    v_to_ledger = v_to_ledger + IF(p_variant = 2, -v_minor, v_minor),
                    v_entries = CONCAT(
                        LPAD(HEX(v_from), 16, '0'), LPAD(HEX(v_minor), 16, '0'),
                        LPAD(HEX(CAST(v_from_ledger AS SIGNED)), 16, '0'), LPAD(HEX(v_from_last), 16, '0'),
                        LPAD(HEX(v_from_version), 16, '0'), LPAD(HEX(v_currency), 4, '0'),
                        IF(v_from_debited, '0001', '0101'),
                        LPAD(HEX(v_to), 16, '0'), LPAD(HEX(v_minor), 16, '0'),
                        LPAD(HEX(CAST(v_to_ledger AS SIGNED)), 16, '0'), LPAD(HEX(v_to_last), 16, '0'),
                        LPAD(HEX(v_to_version), 16, '0'), LPAD(HEX(v_currency), 4, '0'),
                        IF(v_from_debited, '0101', '0001'));
            END IF;
            SELECT h.sequence + 1, h.hash, GREATEST(h.time_us, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))),
                    h.open_day, DATEDIFF(COALESCE(h.open_day, h.newest_day), '1970-01-01'), k.sequence
                INTO v_sequence, v_hash, v_time_us, v_open_day, v_day, v_used
                FROM ledger_head AS h LEFT JOIN idempotency_keys AS k ON k.digest = v_claim
                WHERE h.id = 1 FOR UPDATE;
            IF v_used IS NOT NULL THEN
                LEAVE unwritten;
            END IF;
            IF v_open_day IS NULL THEN
                SET v_refused = 0, v_code = 6;
            END IF;
            IF v_code = 41 THEN
                SET p_message = bankcore_refusal(
                    41, v_refused, IF(v_refused = v_from, v_from_currency, v_to_currency), 0, 0);
                LEAVE unwritten;
            END IF;
            IF v_code IS NULL THEN
                SET v_record = UNHEX(CONCAT(v_start, LPAD(HEX(v_sequence), 16, '0'), LPAD(HEX(v_time_us), 16, '0'),
                    REPEAT(RIGHT(LPAD(HEX(v_day), 16, '0'), 8), 2), v_request, v_entries, v_note));
                INSERT INTO events (sequence, kind, variant, record) VALUES (v_sequence, 5, p_variant, v_record);
                INSERT INTO transactions (id, transaction_type, status, entry_count, booking_date, value_date, time_us,
                        principal_id, actor_id, origin_id, description)
                    VALUES (v_sequence, p_variant, 'OPEN', 2, v_open_day, v_open_day, v_time_us,
                        v_principal_id, v_actor_id, 0, NULLIF(p_description, ''));
                INSERT INTO ledger_entries
                        (transaction_id, position, account_id, version, entry_type, amount, currency, balance_after)
                    VALUES (v_sequence, 0, v_from, v_from_version, 2 - v_from_debited, v_minor, v_currency, v_from_ledger),
                        (v_sequence, 1, v_to, v_to_version, 1 + v_from_debited, v_minor, v_currency, v_to_ledger);
                UPDATE transactions SET status = 'POSTED' WHERE id = v_sequence;
                UPDATE account_balances SET
                        debits_posted = debits_posted + IF((account_id = v_from) = v_from_debited, v_minor, 0),
                        credits_posted = credits_posted + IF((account_id = v_from) = v_from_debited, 0, v_minor),
                        version = version + 1, last_sequence = v_sequence
                    WHERE account_id IN (v_from, v_to);
                INSERT INTO outbox (sequence, kind) VALUES (v_sequence, 5);
                SET p_transaction_id = v_sequence, p_status = 'COMPLETED',
                    p_message = CONCAT('Transaction ', v_sequence, ' is posted.');
            ELSE
                SET v_figures_in = IF(v_code IN (1, 5), v_currency, 0),
                    v_first = CASE WHEN v_code NOT IN (1, 5) THEN 0
                        WHEN v_code = 1 THEN LEAST(IF(v_refused = v_from, v_from_room, v_to_room), v_max)
                        ELSE IF(v_refused = v_from, v_from_ledger, v_to_ledger) END,
                    v_second = IF(v_code IN (1, 5), v_minor, 0),
                    v_record = bankcore_record(10, 0, v_sequence, v_time_us, COALESCE(v_day, v_time_us DIV 86400000000),
                        v_request, '', CONCAT(v_note, '1A000000001E', LPAD(HEX(v_code), 4, '0'),
                            LPAD(HEX(v_refused), 16, '0'), LPAD(HEX(v_figures_in), 4, '0'),
                            LPAD(HEX(v_first), 16, '0'), LPAD(HEX(v_second), 16, '0'), 'FFFF')),
                    p_message = bankcore_refusal(v_code, v_refused, v_figures_in, v_first, v_second);
                INSERT INTO events (sequence, kind, variant, record) VALUES (v_sequence, 10, 0, v_record);
            END IF;
            INSERT INTO idempotency_keys (digest, sequence, principal_id, fingerprint)
                VALUES (v_claim, v_sequence, v_principal_id, v_fingerprint);
            UPDATE ledger_head SET sequence = v_sequence, time_us = v_time_us,
                hash = UNHEX(SHA2(CONCAT(v_hash, v_record), 256)) WHERE id = 1;
            COMMIT AND NO CHAIN NO RELEASE;
            LEAVE deciding;
        END;
        IF v_used IS NOT NULL THEN
            SET v_used_fingerprint = (SELECT fingerprint FROM idempotency_keys WHERE digest = v_claim);
            IF v_used_fingerprint = v_fingerprint THEN
                CALL bankcore_answer(v_used, p_transaction_id, p_status, p_message);
            ELSE
                SET p_message = 'idempotency_key_reused: This key was used for another request.';
            END IF;
        END IF;
        ROLLBACK AND NO CHAIN NO RELEASE;
    END;
    SET @bankcore_actor = v_actor_before;
END;

CREATE PROCEDURE sp_deposit(
    IN p_account_id BIGINT,
    IN p_amount DECIMAL(38, 18),
    IN p_description TEXT CHARACTER SET utf8mb4,
    IN p_banker VARBINARY(300),
    IN p_idempotency_key VARBINARY(300),
    OUT p_transaction_id BIGINT UNSIGNED,
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
CALL bankcore_move(1, NULL, p_account_id, p_amount, p_description, p_banker, p_idempotency_key,
    p_transaction_id, p_status, p_message);

CREATE PROCEDURE sp_withdraw(
    IN p_account_id BIGINT,
    IN p_amount DECIMAL(38, 18),
    IN p_description TEXT CHARACTER SET utf8mb4,
    IN p_banker VARBINARY(300),
    IN p_idempotency_key VARBINARY(300),
    OUT p_transaction_id BIGINT UNSIGNED,
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
CALL bankcore_move(2, p_account_id, NULL, p_amount, p_description, p_banker, p_idempotency_key,
    p_transaction_id, p_status, p_message);

CREATE PROCEDURE sp_transfer(
    IN p_from_account_id BIGINT,
    IN p_to_account_id BIGINT,
    IN p_amount DECIMAL(38, 18),
    IN p_description TEXT CHARACTER SET utf8mb4,
    IN p_performed_by VARBINARY(300),
    IN p_idempotency_key VARBINARY(300),
    OUT p_transaction_id BIGINT UNSIGNED,
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
CALL bankcore_move(3, p_from_account_id, p_to_account_id, p_amount, p_description, p_performed_by, p_idempotency_key,
    p_transaction_id, p_status, p_message);

-- Does what the entries say equal what the balance says? The sum up to a noted version needs no lock, since entries
-- never change; the rest is added under the lock of the balance.
CREATE PROCEDURE sp_rebuild_balance(
    IN p_account_id BIGINT,
    OUT p_old_balance DECIMAL(23, 4),
    OUT p_new_balance DECIMAL(23, 4),
    OUT p_status VARCHAR(10) CHARACTER SET ascii,
    OUT p_message VARCHAR(500) CHARACTER SET utf8mb4
) MODIFIES SQL DATA SQL SECURITY DEFINER
call_of_its_own: BEGIN
    DECLARE v_noted BIGINT UNSIGNED;
    DECLARE v_type, v_exponent TINYINT UNSIGNED;
    DECLARE v_unit CHAR(3) CHARACTER SET ascii;
    DECLARE v_debits, v_credits, v_late_debits, v_late_credits, v_old_debits, v_old_credits, v_old, v_new DECIMAL(39, 0);
    DECLARE v_actor_before TEXT CHARACTER SET utf8mb4;
    SET p_old_balance = NULL, p_new_balance = NULL, p_status = 'FAILED',
        p_message = IF(p_account_id IS NULL, 'malformed_request: The account is missing.', NULL);
    IF p_message IS NOT NULL THEN
        LEAVE call_of_its_own;
    END IF;
    BEGIN
        DECLARE EXIT HANDLER FOR 1568
            SET p_message = 'transaction_in_progress: This call is a transaction of its own; end yours first.';
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    END;
    IF p_message IS NOT NULL THEN
        LEAVE call_of_its_own;
    END IF;
    SET v_actor_before = @bankcore_actor, @bankcore_actor = LEFT(COALESCE(NULLIF(@bankcore_actor, ''), USER()), 128);
    comparing: BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            SET @bankcore_actor = v_actor_before;
            RESIGNAL;
        END;
        START TRANSACTION;
        SELECT b.version, a.account_type + 0, c.code, c.exponent INTO v_noted, v_type, v_unit, v_exponent
            FROM ledger_head AS h LEFT JOIN account_balances AS b ON b.account_id = p_account_id
            LEFT JOIN accounts AS a ON a.id = b.account_id LEFT JOIN currencies AS c ON c.numeric_code = a.currency
            WHERE h.id = 1;
        IF v_type IS NULL THEN
            SET p_message = bankcore_refusal(70, p_account_id, 0, 0, 0);
            ROLLBACK AND NO CHAIN NO RELEASE;
            LEAVE comparing;
        END IF;
        SELECT COALESCE(SUM(IF(entry_type = 'DEBIT', amount, 0)), 0), COALESCE(SUM(IF(entry_type = 'CREDIT', amount, 0)), 0)
            INTO v_debits, v_credits
            FROM ledger_entries WHERE account_id = p_account_id AND version <= v_noted;
        SELECT debits_posted, credits_posted INTO v_old_debits, v_old_credits
            FROM account_balances WHERE account_id = p_account_id FOR UPDATE;
        SELECT COALESCE(SUM(IF(entry_type = 'DEBIT', amount, 0)), 0), COALESCE(SUM(IF(entry_type = 'CREDIT', amount, 0)), 0)
            INTO v_late_debits, v_late_credits
            FROM ledger_entries WHERE account_id = p_account_id AND version > v_noted;
        SET v_debits = v_debits + v_late_debits, v_credits = v_credits + v_late_credits,
            v_old = IF(v_type IN (1, 5), v_old_debits - v_old_credits, v_old_credits - v_old_debits),
            v_new = IF(v_type IN (1, 5), v_debits - v_credits, v_credits - v_debits),
            p_old_balance = bankcore_major(v_old, v_exponent), p_new_balance = bankcore_major(v_new, v_exponent);
        IF v_debits = v_old_debits AND v_credits = v_old_credits THEN
            SET p_status = 'COMPLETED', p_message = CONCAT(
                'Account ', p_account_id, ' stands at ', bankcore_major(v_old, v_exponent), ' ', v_unit, ', as its entries say.');
            ROLLBACK AND NO CHAIN NO RELEASE;
            LEAVE comparing;
        END IF;
        CALL bankcore_break(p_account_id, v_new, LEFT(CONCAT_WS(' as ', NULLIF(v_actor_before, ''), USER()), 255), p_message);
        COMMIT AND NO CHAIN NO RELEASE;
    END;
    SET @bankcore_actor = v_actor_before;
END;
