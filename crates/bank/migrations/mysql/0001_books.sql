-- The books in MySQL or MariaDB (InnoDB): the tables of the case study, and what keeps them true.
--
-- The truth is `events`: one row an event, its bytes as in docs/event-format.md, in the order of `sequence`,
-- chained by `ledger_head.hash`. Every other table of the books is what those events say, kept for queries,
-- for the stored procedures and for people. Whoever writes holds the row of `ledger_head`, so the order of
-- sequences is the order of commits.
--
-- Amounts are minor units. Totals only grow; they are wider than an amount, because turnover over a bank's
-- life must never close an account. Texts that are compared are kept as bytes: the default collation takes
-- `abc`, `ABC` and `abc ` for one key.

CREATE TABLE currencies (
    numeric_code SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    exponent TINYINT UNSIGNED NOT NULL CHECK (exponent <= 4)
) ENGINE = InnoDB;

-- One row. Locked last, by everyone who writes.
CREATE TABLE ledger_head (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY CHECK (id = 1),
    bank_id BINARY(16) NOT NULL,
    timeline INT UNSIGNED NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL,
    hash BINARY(32) NOT NULL,
    -- Microseconds since 1970: the time of the newest event, which never falls.
    time_us BIGINT NOT NULL,
    accounts BIGINT UNSIGNED NOT NULL,
    names INT UNSIGNED NOT NULL,
    open_day DATE NULL,
    newest_day DATE NULL
) ENGINE = InnoDB;

CREATE TABLE events (
    sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    kind TINYINT UNSIGNED NOT NULL,
    variant TINYINT UNSIGNED NOT NULL,
    -- The bytes that the chain covers.
    record VARBINARY(16320) NOT NULL
) ENGINE = InnoDB;

CREATE TABLE names (
    id INT UNSIGNED NOT NULL PRIMARY KEY,
    kind ENUM('PRINCIPAL', 'ACTOR', 'ORIGIN') NOT NULL,
    name VARBINARY(128) NOT NULL,
    UNIQUE KEY by_name (kind, name)
) ENGINE = InnoDB;

CREATE TABLE accounts (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    number VARCHAR(34) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- The claim on the number: that is what is unique.
    number_digest BINARY(16) NOT NULL UNIQUE,
    name VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    account_type ENUM('ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE') NOT NULL,
    currency SMALLINT UNSIGNED NOT NULL,
    status ENUM('PENDING', 'ACTIVE', 'FROZEN', 'CLOSED') NOT NULL,
    owner_id INT UNSIGNED NOT NULL,
    opened_by BIGINT UNSIGNED NOT NULL,
    KEY by_owner (owner_id, id),
    CONSTRAINT account_currency FOREIGN KEY (currency) REFERENCES currencies (numeric_code),
    CONSTRAINT account_event FOREIGN KEY (opened_by) REFERENCES events (sequence)
) ENGINE = InnoDB;

CREATE TABLE account_balances (
    account_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    -- The side on which the account grows; follows from its type.
    normal_side ENUM('DEBIT', 'CREDIT') NOT NULL,
    debits_posted DECIMAL(39, 0) NOT NULL DEFAULT 0,
    credits_posted DECIMAL(39, 0) NOT NULL DEFAULT 0,
    debits_held DECIMAL(39, 0) NOT NULL DEFAULT 0,
    credits_held DECIMAL(39, 0) NOT NULL DEFAULT 0,
    debits_released DECIMAL(39, 0) NOT NULL DEFAULT 0,
    credits_released DECIMAL(39, 0) NOT NULL DEFAULT 0,
    overdraft_limit BIGINT NOT NULL,
    -- Rises by one with each event that touches the account.
    version BIGINT UNSIGNED NOT NULL,
    last_sequence BIGINT UNSIGNED NOT NULL,
    ledger_balance BIGINT AS (
        IF(normal_side = 'DEBIT', debits_posted - credits_posted, credits_posted - debits_posted)
    ) VIRTUAL,
    reserved BIGINT AS (
        IF(normal_side = 'DEBIT', credits_held - credits_released, debits_held - debits_released)
    ) VIRTUAL,
    available_balance BIGINT AS (
        IF(normal_side = 'DEBIT',
            debits_posted - credits_posted - (credits_held - credits_released),
            credits_posted - debits_posted - (debits_held - debits_released)) + overdraft_limit
    ) VIRTUAL,
    CONSTRAINT totals_only_grow CHECK (
        debits_posted >= 0 AND credits_posted >= 0 AND debits_released >= 0 AND credits_released >= 0
    ),
    CONSTRAINT balance_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB;

CREATE TABLE transactions (
    -- The sequence of its event, in every store, for ever.
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    transaction_type ENUM('DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'JOURNAL_ENTRY', 'CAPTURE', 'REVERSAL') NOT NULL,
    -- Open only inside the database transaction that writes it.
    status ENUM('OPEN', 'POSTED') NOT NULL,
    entry_count TINYINT UNSIGNED NOT NULL CHECK (entry_count >= 2),
    booking_date DATE NOT NULL,
    value_date DATE NOT NULL,
    time_us BIGINT NOT NULL,
    principal_id INT UNSIGNED NOT NULL,
    actor_id INT UNSIGNED NOT NULL,
    origin_id INT UNSIGNED NOT NULL,
    -- Of a capture.
    hold_id BIGINT UNSIGNED NULL,
    -- Of a reversal.
    original_id BIGINT UNSIGNED NULL,
    reference VARBINARY(128) NULL,
    reference_digest BINARY(16) NULL,
    description VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    KEY by_reference (reference_digest, id),
    KEY by_original (original_id),
    CONSTRAINT transaction_event FOREIGN KEY (id) REFERENCES events (sequence)
) ENGINE = InnoDB;

CREATE TABLE ledger_entries (
    transaction_id BIGINT UNSIGNED NOT NULL,
    -- Its place among the entries of the event, from 0.
    position TINYINT UNSIGNED NOT NULL,
    account_id BIGINT UNSIGNED NOT NULL,
    -- The account's version after the event.
    version BIGINT UNSIGNED NOT NULL,
    entry_type ENUM('DEBIT', 'CREDIT') NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency SMALLINT UNSIGNED NOT NULL,
    -- Ledger balance on the account's normal side.
    balance_after BIGINT NOT NULL,
    PRIMARY KEY (transaction_id, position),
    KEY by_account (account_id, version, position),
    CONSTRAINT entry_transaction FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT entry_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB;

-- The events of an account that posted nothing on it: with `ledger_entries`, its whole history.
CREATE TABLE account_events (
    account_id BIGINT UNSIGNED NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (account_id, version),
    CONSTRAINT account_event_account FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT account_event_event FOREIGN KEY (sequence) REFERENCES events (sequence)
) ENGINE = InnoDB;

CREATE TABLE holds (
    -- The sequence of the event that placed it.
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    account_id BIGINT UNSIGNED NOT NULL,
    receiver_id BIGINT UNSIGNED NULL,
    side ENUM('DEBIT', 'CREDIT') NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency SMALLINT UNSIGNED NOT NULL,
    expires_us BIGINT NOT NULL,
    -- The claim on its end.
    end_digest BINARY(16) NOT NULL UNIQUE,
    ended_by BIGINT UNSIGNED NULL,
    ended_how ENUM('CAPTURED', 'VOIDED', 'EXPIRED') NULL,
    KEY by_account (account_id),
    CONSTRAINT hold_event FOREIGN KEY (id) REFERENCES events (sequence),
    CONSTRAINT hold_account FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT hold_end FOREIGN KEY (ended_by) REFERENCES events (sequence),
    CONSTRAINT ended_whole CHECK ((ended_by IS NULL) = (ended_how IS NULL))
) ENGINE = InnoDB;

-- Kept for ever. What was answered stands in the event.
CREATE TABLE idempotency_keys (
    digest BINARY(16) NOT NULL PRIMARY KEY,
    sequence BIGINT UNSIGNED NOT NULL,
    principal_id INT UNSIGNED NOT NULL,
    fingerprint BINARY(16) NOT NULL,
    CONSTRAINT key_event FOREIGN KEY (sequence) REFERENCES events (sequence)
) ENGINE = InnoDB;

-- What is still to be told outside.
CREATE TABLE outbox (
    sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    kind TINYINT UNSIGNED NOT NULL,
    CONSTRAINT outbox_event FOREIGN KEY (sequence) REFERENCES events (sequence)
) ENGINE = InnoDB;

-- Services at work, and what each has seen. Writing here is how a service makes sure that what it read from
-- others is on the disk.
CREATE TABLE service_instances (
    id BINARY(16) NOT NULL PRIMARY KEY,
    seen BIGINT UNSIGNED NOT NULL,
    at_us BIGINT NOT NULL
) ENGINE = InnoDB;

-- Which drawer a banker's deposits and withdrawals go through, for the stored procedures.
CREATE TABLE tellers (
    banker VARBINARY(128) NOT NULL PRIMARY KEY,
    drawer_account_id BIGINT UNSIGNED NOT NULL,
    CONSTRAINT teller_drawer FOREIGN KEY (drawer_account_id) REFERENCES accounts (id)
) ENGINE = InnoDB;

-- A cached balance that its entries do not explain. Nothing is overwritten: a person decides, and closes it with a
-- reason when the row is right again.
CREATE TABLE balance_breaks (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id BIGINT UNSIGNED NOT NULL,
    found_us BIGINT NOT NULL,
    as_of BIGINT UNSIGNED NOT NULL,
    cached_balance BIGINT NOT NULL,
    entries_balance BIGINT NOT NULL,
    found_by VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    closed_us BIGINT NULL,
    closed_by VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    reason VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    KEY by_account (account_id),
    KEY by_state (closed_us, id),
    CONSTRAINT break_account FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT closed_whole CHECK (
        (closed_us IS NULL) = (closed_by IS NULL) AND (closed_us IS NULL) = (reason IS NULL) AND reason <> ''
    )
) ENGINE = InnoDB;

-- Who changed what, written by triggers: the person from the session variable @bankcore_actor, the database's
-- own user and connection beside it. A batch of events is one row with its first and last sequence.
CREATE TABLE audit_log (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    action ENUM('INSERT', 'UPDATE') NOT NULL,
    table_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    row_id BIGINT UNSIGNED NOT NULL,
    old_values VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    new_values VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    actor VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    database_user VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    connection_id BIGINT UNSIGNED NOT NULL,
    KEY by_row (table_name, row_id)
) ENGINE = InnoDB;
