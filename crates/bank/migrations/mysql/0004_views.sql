-- Reports in major units, for people and for the tools that they use. The bank itself reads none of this.
--
-- Amounts are decimals with four digits, as many as any currency has: they can be added up, within the currency
-- that stands beside them. Times are UTC. A reporting user needs SELECT on report_% and nothing else.

CREATE VIEW report_currencies AS
SELECT numeric_code, code AS currency, exponent,
    CASE exponent WHEN 0 THEN 1.0000 WHEN 1 THEN 0.1000 WHEN 2 THEN 0.0100 WHEN 3 THEN 0.0010 ELSE 0.0001 END AS unit
FROM currencies;

CREATE VIEW report_accounts AS
SELECT a.id AS account_id, a.number, a.name, a.account_type, a.status, CONVERT(o.name USING utf8mb4) AS owner, c.currency,
    CAST(b.ledger_balance * c.unit AS DECIMAL(23, 4)) AS ledger_balance,
    CAST((CAST(b.ledger_balance AS DECIMAL(39, 0)) - b.reserved + b.overdraft_limit) * c.unit AS DECIMAL(24, 4))
        AS available_balance,
    CAST(b.reserved * c.unit AS DECIMAL(23, 4)) AS reserved,
    CAST(b.overdraft_limit * c.unit AS DECIMAL(23, 4)) AS overdraft_limit,
    b.version, b.last_sequence
FROM accounts AS a
JOIN account_balances AS b ON b.account_id = a.id
JOIN report_currencies AS c ON c.numeric_code = a.currency
LEFT JOIN names AS o ON o.id = a.owner_id;

-- The amount is what its debits add up to; it is empty if there are several currencies.
CREATE VIEW report_transactions AS
SELECT t.id AS transaction_id, t.transaction_type, t.booking_date, t.value_date,
    TIMESTAMP'1970-01-01 00:00:00' + INTERVAL t.time_us MICROSECOND AS posted_at,
    (SELECT IF(MIN(e.currency) = MAX(e.currency), CAST(SUM(e.amount * c.unit) AS DECIMAL(25, 4)), NULL)
        FROM ledger_entries AS e JOIN report_currencies AS c ON c.numeric_code = e.currency
        WHERE e.transaction_id = t.id AND e.entry_type = 'DEBIT') AS amount,
    (SELECT IF(MIN(e.currency) = MAX(e.currency), MAX(c.currency), NULL)
        FROM ledger_entries AS e JOIN report_currencies AS c ON c.numeric_code = e.currency
        WHERE e.transaction_id = t.id) AS currency,
    t.entry_count, CONVERT(t.reference USING utf8mb4) AS reference, t.description,
    CONVERT(p.name USING utf8mb4) AS principal, CONVERT(a.name USING utf8mb4) AS actor, t.hold_id, t.original_id
FROM transactions AS t
LEFT JOIN names AS p ON p.id = t.principal_id
LEFT JOIN names AS a ON a.id = t.actor_id
WHERE t.status = 'POSTED';

-- A statement of an account: WHERE account_id = … ORDER BY version, position.
CREATE VIEW report_entries AS
SELECT e.account_id, e.version, e.position, e.transaction_id, t.transaction_type, t.booking_date, t.value_date,
    TIMESTAMP'1970-01-01 00:00:00' + INTERVAL t.time_us MICROSECOND AS posted_at,
    IF(e.entry_type = 'DEBIT', CAST(e.amount * c.unit AS DECIMAL(23, 4)), NULL) AS debit,
    IF(e.entry_type = 'CREDIT', CAST(e.amount * c.unit AS DECIMAL(23, 4)), NULL) AS credit,
    CAST(e.balance_after * c.unit AS DECIMAL(23, 4)) AS balance_after, c.currency,
    CONVERT(t.reference USING utf8mb4) AS reference, t.description
FROM ledger_entries AS e
JOIN transactions AS t ON t.id = e.transaction_id
JOIN report_currencies AS c ON c.numeric_code = e.currency
WHERE t.status = 'POSTED';

-- Debits equal credits in every currency, in what was moved and in what is left of it.
CREATE VIEW report_trial_balance AS
SELECT c.currency, COUNT(*) AS accounts,
    SUM(b.debits_posted * c.unit) AS debits, SUM(b.credits_posted * c.unit) AS credits,
    SUM((b.debits_posted - b.credits_posted) * c.unit) AS difference,
    SUM(GREATEST(b.debits_posted - b.credits_posted, 0) * c.unit) AS debit_balances,
    SUM(GREATEST(b.credits_posted - b.debits_posted, 0) * c.unit) AS credit_balances
FROM account_balances AS b
JOIN accounts AS a ON a.id = b.account_id
JOIN report_currencies AS c ON c.numeric_code = a.currency
GROUP BY c.currency;

CREATE VIEW report_holds AS
SELECT h.id AS hold_id, h.account_id, h.receiver_id, h.side, CAST(h.amount * c.unit AS DECIMAL(23, 4)) AS amount, c.currency,
    TIMESTAMP'1970-01-01 00:00:00' + INTERVAL h.expires_us MICROSECOND AS expires_at,
    COALESCE(h.ended_how, 'OPEN') AS state, h.ended_by
FROM holds AS h
JOIN report_currencies AS c ON c.numeric_code = h.currency;

-- What the bytes of an event begin with (docs/event-format.md), and of a refusal its code (docs/rules.md).
CREATE VIEW report_events AS
SELECT e.sequence,
    ELT(e.kind, 'bank opened', 'name interned', 'account opened', 'account changed', 'transaction', 'hold placed',
        'hold ended', 'day opened', 'day closed', 'refusal', 'atomic group') AS event,
    CASE e.kind
        WHEN 2 THEN ELT(e.variant, 'principal', 'actor', 'origin')
        WHEN 3 THEN ELT(e.variant, 'asset', 'liability', 'equity', 'income', 'expense')
        WHEN 5 THEN ELT(e.variant, 'deposit', 'withdrawal', 'transfer', 'journal_entry', 'capture', 'reversal')
        WHEN 7 THEN ELT(e.variant, 'captured', 'voided', 'expired')
        WHEN 10 THEN CONCAT('code ', CONV(HEX(LEFT(RIGHT(e.record, 30), 2)), 16, 10))
    END AS variant,
    TIMESTAMP'1970-01-01 00:00:00' + INTERVAL CAST(CONV(HEX(SUBSTRING(e.record, 17, 8)), 16, 10) AS SIGNED) MICROSECOND AS at,
    DATE'1970-01-01' + INTERVAL CAST(CONV(HEX(SUBSTRING(e.record, 25, 4)), 16, 10) AS SIGNED) DAY AS booking_date,
    DATE'1970-01-01' + INTERVAL CAST(CONV(HEX(SUBSTRING(e.record, 29, 4)), 16, 10) AS SIGNED) DAY AS value_date,
    CONVERT(p.name USING utf8mb4) AS principal, CONVERT(a.name USING utf8mb4) AS actor, CONVERT(o.name USING utf8mb4) AS origin,
    CAST(CONV(HEX(SUBSTRING(e.record, 4, 1)), 16, 10) AS UNSIGNED) AS entries,
    CASE
        WHEN e.kind = 10 THEN CAST(CONV(HEX(SUBSTRING(RIGHT(e.record, 30), 3, 8)), 16, 10) AS UNSIGNED)
        WHEN SUBSTRING(e.record, 4, 1) <> x'00' THEN CAST(CONV(HEX(SUBSTRING(e.record, 81, 8)), 16, 10) AS UNSIGNED)
    END AS first_account_id,
    IF(SUBSTRING(e.record, 49, 16) = REPEAT(x'00', 16), NULL, HEX(SUBSTRING(e.record, 49, 16))) AS key_claim,
    IF(SUBSTRING(e.record, 65, 16) = REPEAT(x'00', 16), NULL, HEX(SUBSTRING(e.record, 65, 16))) AS fingerprint
FROM events AS e
LEFT JOIN names AS p ON p.id = CAST(CONV(HEX(SUBSTRING(e.record, 33, 4)), 16, 10) AS UNSIGNED)
LEFT JOIN names AS a ON a.id = CAST(CONV(HEX(SUBSTRING(e.record, 37, 4)), 16, 10) AS UNSIGNED)
LEFT JOIN names AS o ON o.id = CAST(CONV(HEX(SUBSTRING(e.record, 41, 4)), 16, 10) AS UNSIGNED);
