//! Every limit of the rules, named once, with its reason.

/// Entries of one transaction. A record has at most 255 slots of 64 bytes; 128 entries with their skip
/// pointers take 6.6 KiB and leave room for the texts.
pub const ENTRIES_MAX: usize = 128;

/// Members of an atomic group, and commands of a batch: one frame holds them all.
pub const GROUP_MAX: usize = 8_192;

/// Bytes of a caller's reference. Long enough for an end-to-end id with a prefix, short enough to index.
pub const REFERENCE_BYTES_MAX: usize = 128;

/// Bytes of a description. A statement line, not a document.
pub const DESCRIPTION_BYTES_MAX: usize = 512;

/// Bytes of the name of an account or of an interned name.
pub const NAME_BYTES_MAX: usize = 128;

/// Bytes of an account number (an IBAN has 34 characters).
pub const NUMBER_BYTES_MAX: usize = 34;

/// How the account numbers begin that the bank makes up. Callers' numbers may not, so the two never meet.
pub const MADE_NUMBER_PREFIX: &str = "BC";

/// Bytes of an idempotency key as sent.
pub const KEY_BYTES_MAX: usize = 255;

/// How many days before the booking date a value date may lie. A year and a day covers a correction over
/// the closing of the books; anything older is an entry with today's value and an explanation. The late list
/// relies on both bounds: a smaller one would lose entries of the past, so they may only grow, and with a new
/// version of the snapshot.
pub const VALUE_DATE_BACK_DAYS: i32 = 366;

/// How many days after the booking date a value date may lie.
pub const VALUE_DATE_AHEAD_DAYS: i32 = 366;

/// The longest life of a hold, in microseconds: 400 days, longer than any card scheme allows.
pub const HOLD_LIFE_MAX_US: i64 = 400 * 86_400 * 1_000_000;

/// When a prepared hold expires: never. What was promised to a coordinator is kept until it decides.
pub const NEVER: i64 = i64::MAX;

/// The life of a hold whose request names none: seven days, as card schemes have it.
pub const HOLD_LIFE_DEFAULT_US: i64 = 7 * 86_400 * 1_000_000;

/// Distance of the shortest skip pointer in an account's history; longer ones are its powers.
pub const SKIP_STRIDE: u64 = 64;

/// How many skip distances there are: 64, 4,096 and 262,144 events.
pub const SKIP_LEVELS: usize = 3;

/// The largest amount in minor units, and the largest balance: what a signed 64-bit column holds.
pub const AMOUNT_MAX: i64 = i64::MAX;
