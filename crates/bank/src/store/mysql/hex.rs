//! Bytes as SQL literals. Everything that is not a number goes to the server in hexadecimal: there is nothing to
//! escape and nothing to inject.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends `x'…'`.
pub(super) fn push(sql: &mut String, bytes: &[u8]) {
    sql.reserve(bytes.len() * 2 + 3);
    sql.push_str("x'");
    for byte in bytes {
        sql.push(char::from(DIGITS[usize::from(byte >> 4)]));
        sql.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    sql.push('\'');
}

/// Appends a text as the server's own characters.
pub(super) fn push_text(sql: &mut String, text: &str) {
    sql.push_str("_utf8mb4 ");
    push(sql, text.as_bytes());
}

/// Appends a list for `IN (…)`.
pub(super) fn push_list<T>(
    sql: &mut String,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            sql.push(',');
        }
        each(sql, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_texts_are_hexadecimal() {
        let mut sql = String::new();
        push(&mut sql, &[0, 0x9f, 0xff]);
        push_text(&mut sql, "a'b");
        assert_eq!(sql, "x'009fff'_utf8mb4 x'612762'");
        sql.clear();
        push_list(&mut sql, [1, 2, 3], |sql, n| sql.push_str(&n.to_string()));
        assert_eq!(sql, "1,2,3");
    }
}
