-- Up to which event of the books every payment is known to have its row: behind it, rows are looked for at each start.
ALTER TABLE drivers ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
