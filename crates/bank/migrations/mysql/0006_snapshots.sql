-- The books at a sequence, as bytes, so that a start need not fold every event. Derived: one that does not verify is
-- passed over, and removing them loses nothing but time.
CREATE TABLE snapshots (
    sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    -- The chain at that sequence.
    hash BINARY(32) NOT NULL,
    parts INT UNSIGNED NOT NULL,
    -- SHA-256 over the bytes of all parts.
    digest BINARY(32) NOT NULL,
    made_us BIGINT NOT NULL
) ENGINE = InnoDB;

-- Its bytes, in order. A snapshot that was not finished has parts and no row above.
CREATE TABLE snapshot_parts (
    sequence BIGINT UNSIGNED NOT NULL,
    part INT UNSIGNED NOT NULL,
    bytes MEDIUMBLOB NOT NULL,
    PRIMARY KEY (sequence, part)
) ENGINE = InnoDB;
