//! Every code that a problem can have: the ledger's refusals, and what the interface itself says.

use ledger::refusal::Class;

/// What a code means.
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) title: &'static str,
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

const fn entry(
    code: &'static str,
    status: u16,
    title: &'static str,
    what: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry { code, status, title, what, remedy }
}

const AGAIN: &str = "Send the same request again, with the same key, after Retry-After.";

/// What the interface says by itself.
static OWN: &[Entry] = &[
    entry(
        "malformed_request",
        400,
        "Malformed request",
        "The request is not of the right form: a field or parameter is unknown, missing, repeated or of another type.",
        "Correct the request; the OpenAPI document at /api/v1/openapi.json shows its form.",
    ),
    entry(
        "idempotency_key_missing",
        400,
        "Idempotency key missing",
        "A request that moves money names its intent in the header Idempotency-Key.",
        "Send a key that is new for each intent, and the same one when you send the intent again.",
    ),
    entry(
        "idempotency_key_malformed",
        400,
        "Idempotency key malformed",
        "A key has 1 to 255 printable ASCII characters.",
        "Send a random UUID, or your own id of the intent.",
    ),
    entry(
        "cursor_invalid",
        400,
        "Cursor not valid",
        "A cursor belongs to one list, with its filters, and one reader.",
        "Start again without a cursor, and send each next_cursor back as it is, with the same filters.",
    ),
    entry(
        "unauthenticated",
        401,
        "Not authenticated",
        "The request names no API key, or one that is not valid any more.",
        "Send the header Authorization: Bearer followed by an API key.",
    ),
    entry(
        "forbidden",
        403,
        "Not allowed",
        "The role of the API key may not do this.",
        "Use an API key whose role may do this.",
    ),
    entry(
        "not_found",
        404,
        "Not found",
        "There is no such thing, or it is not yours: both are answered alike.",
        "Check the id.",
    ),
    entry(
        "key_not_decided",
        404,
        "Not decided",
        "No request with this idempotency key has been decided. It does not say that one failed: it may be on its way.",
        "Send the same request with the same key: it counts once, however often it is sent.",
    ),
    entry(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The path is there, but not for this method.",
        "The header Allow names what is possible; /docs explains it.",
    ),
    entry(
        "body_too_slow",
        408,
        "Body too slow",
        "The body did not arrive in time.",
        "Send the request again.",
    ),
    entry(
        "body_too_large",
        413,
        "Body too large",
        "The body has more bytes than one request may have.",
        "Send a smaller body, or several.",
    ),
    entry(
        "batch_too_large",
        413,
        "Batch too large",
        "The batch has more commands than 8,192, or is larger than one frame of the journal.",
        "Send several smaller ones.",
    ),
    entry(
        "unsupported_media_type",
        415,
        "Not JSON",
        "The body is JSON (for batches also lines of JSON), not compressed.",
        "Set the header Content-Type accordingly.",
    ),
    entry(
        "idempotency_key_reused",
        422,
        "Idempotency key reused",
        "The key was used for another request; a key stands for one intent, for ever.",
        "Use a new key for a new intent; look the first one up at /api/v1/idempotency/{key}.",
    ),
    entry(
        "unknown_currency",
        422,
        "Unknown currency",
        "The code is not a currency of ISO 4217 with minor units.",
        "Use a three-letter code such as BDT.",
    ),
    entry(
        "too_many_decimals",
        422,
        "Too many decimals",
        "The amount has more decimals than its currency; amounts are never rounded.",
        "Send no more decimals than the currency has.",
    ),
    entry(
        "amount_too_large",
        422,
        "Amount too large",
        "The amount is more than an account can hold.",
        "Send a smaller amount.",
    ),
    entry(
        "drawer_required",
        422,
        "Drawer required",
        "Cash goes through a drawer, and the API key has none of its own.",
        "Name drawer_account_id, or use a key with a drawer.",
    ),
    entry(
        "key_not_possible",
        422,
        "Such a key is not possible",
        "The wish for an API key contradicts itself: accounts are for customers, a drawer is for bankers, an end lies ahead.",
        "Correct the wish for the key.",
    ),
    entry(
        "unknown_rail",
        422,
        "Unknown rail",
        "There is no rail of this name.",
        "Use one of the rails that GET /api/v1/rails lists.",
    ),
    entry(
        "rail_paused",
        422,
        "Rail paused",
        "The rail takes no new payments for now.",
        "Use another rail, or send it again when the rail is open.",
    ),
    entry(
        "currency_not_carried",
        422,
        "Currency not carried",
        "The rail does not carry the currency.",
        "Use a rail that carries it: GET /api/v1/rails.",
    ),
    entry(
        "mode_not_carried",
        422,
        "Mode not carried",
        "The rail carries no payments of this mode: two_phase is for rails to another bankcore.",
        "Send the payment in a mode that GET /api/v1/rails shows, or use another rail.",
    ),
    entry(
        "not_in_doubt",
        422,
        "Not in doubt",
        "The promise is not prepared, or is decided already.",
        "Read the promise: its timeline says who decided, and when.",
    ),
    entry(
        "amount_over_limit",
        422,
        "Amount over the rail's limit",
        "The rail carries no more than its limit in one payment.",
        "Send a smaller amount, or use another rail.",
    ),
    entry(
        "iban_invalid",
        422,
        "Not an IBAN",
        "The rail names beneficiaries by IBAN, and this is none: its check digits or its form are wrong.",
        "Check the beneficiary's IBAN.",
    ),
    entry(
        "beneficiary_invalid",
        422,
        "Not a beneficiary",
        "A beneficiary has a name of 1 to 140 bytes and an account of 1 to 34 letters and digits.",
        "Correct the beneficiary's name and account.",
    ),
    entry(
        "payer_not_customer",
        422,
        "Not a customer's account",
        "Payments are made from customers' accounts.",
        "Name a customer's account as from_account_id.",
    ),
    entry(
        "payment_not_cancellable",
        422,
        "Too late to cancel",
        "The payment is settled, was refused, or its outcome is decided.",
        "Ask the beneficiary to pay it back.",
    ),
    entry(
        "belongs_to_payment",
        422,
        "Belongs to a payment",
        "A transaction of a payment is taken back by the payment only, which knows whether the other side pays.",
        "Cancel the payment, or resolve its case.",
    ),
    entry(
        "case_resolved",
        422,
        "Resolved already",
        "Somebody resolved the case already, or the payment went on by itself.",
        "Read the case: its history says who, and why.",
    ),
    entry(
        "resolution_not_possible",
        422,
        "Not possible here",
        "The payment of the case stands where this resolution changes nothing.",
        "Look at the payment's timeline and choose what its state allows.",
    ),
    entry(
        "rail_not_possible",
        422,
        "Such a rail is not possible",
        "What a rail is configured with contradicts itself or the books.",
        "Correct what the detail names.",
    ),
    entry(
        "rail_key_known",
        422,
        "Key id known",
        "The rail has had a key of this id; an id stands for one secret, for ever.",
        "Choose another id.",
    ),
    entry(
        "signature_invalid",
        401,
        "Signature not right",
        "The notice is not signed, or not with a live key of the rail.",
        "Sign id, time and body with a live key of the rail.",
    ),
    entry(
        "signature_stale",
        401,
        "Signature stale",
        "The time of the notice is more than 300 s off.",
        "Check the clock, and sign each message when it is sent.",
    ),
    entry(
        "reference_reused",
        422,
        "Reference reused",
        "The reference was used for another incoming payment; nothing was credited.",
        "Use one reference for one payment.",
    ),
    entry(
        "subscription_not_possible",
        422,
        "Such a subscription is not possible",
        "The wish for a webhook or a replay contradicts itself, or names something that is not there.",
        "Correct the wish.",
    ),
    entry(
        "too_many_subscriptions",
        422,
        "Too many subscriptions",
        "A bank has at most 64 subscriptions.",
        "Delete one that is not needed.",
    ),
    entry(
        "address_not_allowed",
        422,
        "Webhooks may not go there",
        "The address is not public, is not https, or cannot be found.",
        "Use a public https address, or have the operator allow this one (webhook_allow).",
    ),
    entry(
        "as_of_in_future",
        422,
        "Not known yet",
        "The moment lies after the newest event, so the answer could still change.",
        "Ask for an earlier moment, or leave it out for the books as they stand.",
    ),
    entry(
        "beyond_the_newest_event",
        422,
        "Beyond the newest event",
        "The place in the events is of another bank, or of books that were restored since.",
        "Compare bank and timeline in your newest event id with those here; after a restore begin anew.",
    ),
    entry(
        "too_far_back",
        422,
        "Too far back",
        "The answer would take more work than one request may cost.",
        "Ask for a later moment, or have the operator make a snapshot.",
    ),
    entry(
        "version_required",
        428,
        "Version required",
        "This change is made on the version that you saw: it is named in the header If-Match.",
        "Read the account and send its ETag as If-Match.",
    ),
    entry(
        "quota_exceeded",
        429,
        "Too many requests",
        "The quota of the principal is used up.",
        "Send fewer requests, or the same again after Retry-After.",
    ),
    entry(
        "too_many_refusals",
        429,
        "Too many refused requests",
        "So many requests of the principal were refused that no more refusals are recorded for now.",
        "Find out why they are refused; then send the request again, with the same key.",
    ),
    entry(
        "internal_error",
        500,
        "Internal error",
        "The service made a mistake while answering. Whether the request counted can be asked by its key.",
        "Ask GET /api/v1/idempotency/{key}, and report the request id to the operator.",
    ),
    entry(
        "journal_failed",
        503,
        "The journal cannot be written",
        "A write or sync of the journal failed. Nothing is promised until the service is started again.",
        "Tell the operator. Afterwards ask for the outcome by key, or send the same request again.",
    ),
    entry(
        "disk_full",
        503,
        "Disk nearly full",
        "New work waits until there is space; reading goes on.",
        AGAIN,
    ),
    entry(
        "clock_jumped",
        503,
        "The clock jumped",
        "The wall clock ran ahead; nothing is written until an operator has confirmed it.",
        AGAIN,
    ),
    entry(
        "not_done_yet",
        503,
        "Not done yet",
        "What another bank asked for is durable; the books have not done it yet.",
        "Ask again.",
    ),
    entry("overloaded", 503, "Too much at once", "Too many requests are waiting already.", AGAIN),
    entry("stopping", 503, "The service is stopping", "The request was not decided here.", AGAIN),
    entry(
        "too_many_streams",
        503,
        "Too many streams",
        "As many streams of events are open as there may be.",
        "Close one that you do not need, or read GET /api/v1/events instead.",
    ),
    entry(
        "storage_unreadable",
        503,
        "Stored data cannot be read",
        "Something that was stored could not be read back.",
        "Tell the operator: bankcore verify names the place.",
    ),
    entry(
        "database_failed",
        503,
        "The bank database failed",
        "Keys and records of the audit trail cannot be read or written now.",
        "Tell the operator: the log names the cause. Then send the request again.",
    ),
];

/// Every code, the ledger's first.
pub(super) fn all() -> impl Iterator<Item = Entry> {
    let ledger = ledger::Code::ALL.iter().map(|code| Entry {
        code: code.name(),
        status: match code.class() {
            Class::Request | Class::Books => 422,
            Class::Missing => 404,
            Class::Version => 412,
        },
        title: code.title(),
        what: code.rule(),
        remedy: code.remedy(),
    });
    ledger.chain(OWN.iter().map(|own| Entry { ..*own }))
}

/// Whether a code has a page.
pub(in crate::http) fn knows(code: &str) -> bool {
    OWN.iter().any(|entry| entry.code == code) || ledger::Code::ALL.iter().any(|known| known.name() == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_page_of_plain_text() {
        let mut codes: Vec<_> = all().map(|entry| entry.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for entry in all() {
            for text in [entry.code, entry.title, entry.what, entry.remedy] {
                assert!(!text.is_empty() && !text.contains(['<', '>', '&']), "{text}");
            }
        }
    }
}
