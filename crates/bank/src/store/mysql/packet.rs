//! Statements on their way to the server, in packets that every server takes.

/// A statement of many rows is cut here. Servers take 16 MiB and more in one packet.
const STATEMENT: usize = 1 << 20;
/// A packet is sent when it is as long as this.
const PACKET: usize = 4 << 20;

/// Statements, in order.
#[derive(Default)]
pub(super) struct Packets {
    full: Vec<String>,
    open: String,
}

impl Packets {
    /// Adds a statement without its semicolon.
    pub(super) fn push(&mut self, statement: &str) {
        self.open.push_str(statement);
        self.open.push_str(";\n");
        if self.open.len() >= PACKET {
            self.full.push(std::mem::take(&mut self.open));
        }
    }

    /// The packets, in order.
    pub(super) fn into_packets(mut self) -> Vec<String> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }
}

/// Rows for one table, as few INSERT statements as they fit in.
pub(super) struct Rows {
    full: Vec<String>,
    open: String,
    before: &'static str,
    after: &'static str,
}

impl Rows {
    /// Rows after these words.
    pub(super) fn new(before: &'static str) -> Rows {
        Rows::with_tail(before, "")
    }

    /// The same, and what follows the last row of a statement.
    pub(super) fn with_tail(before: &'static str, after: &'static str) -> Rows {
        Rows { full: Vec::new(), open: String::new(), before, after }
    }

    /// The text to append a row's values to.
    pub(super) fn row(&mut self) -> &mut String {
        if self.open.len() >= STATEMENT {
            self.open.push_str(self.after);
            self.full.push(std::mem::take(&mut self.open));
        }
        self.open.push_str(if self.open.is_empty() { self.before } else { "," });
        &mut self.open
    }

    /// Is there no row?
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Hands the statements over.
    pub(super) fn append_to(mut self, packets: &mut Packets) {
        self.full.iter().for_each(|statement| packets.push(statement));
        if !self.open.is_empty() {
            self.open.push_str(self.after);
            packets.push(&self.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_table_are_one_statement() {
        let (mut rows, mut packets) =
            (Rows::with_tail("INSERT INTO t VALUES ", " AFTER"), Packets::default());
        assert!(rows.is_empty());
        rows.row().push_str("(1)");
        rows.row().push_str("(2)");
        rows.append_to(&mut packets);
        packets.push("COMMIT");
        assert_eq!(packets.into_packets(), ["INSERT INTO t VALUES (1),(2) AFTER;\nCOMMIT;\n"]);
    }

    #[test]
    fn what_is_too_long_for_a_server_is_cut_between_rows() {
        let (mut rows, mut packets) = (Rows::new("INSERT INTO t VALUES "), Packets::default());
        let row = format!("('{}')", "a".repeat(1000));
        (0..12_000).for_each(|_| rows.row().push_str(&row));
        rows.append_to(&mut packets);
        let packets = packets.into_packets();
        assert!(packets.len() > 1 && packets.iter().all(|packet| packet.len() < PACKET + 2 * STATEMENT));
        let statements: Vec<&str> = packets.iter().flat_map(|packet| packet.lines()).collect();
        assert!(statements.iter().all(|statement| statement.starts_with("INSERT INTO t VALUES (")));
        assert_eq!(
            statements.iter().map(|statement| statement.matches("('a").count()).sum::<usize>(),
            12_000
        );
    }
}
