-- Up to which event of the books every payment is known to have its row: behind it, rows are looked for at each start.
ALTER TABLE drivers ADD COLUMN seen BIGINT NOT NULL DEFAULT 0;
