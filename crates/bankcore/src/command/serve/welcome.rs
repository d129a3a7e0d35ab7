//! What a server says of itself: what opening found, where it is, and how to begin.

use std::path::Path;

use bank::service::Service;
use journal::keys::Reason;

use crate::config::Config;
use crate::demo::DemoFile;
use crate::folder::Found;
use crate::output;

/// Says in one line what opening found.
pub(super) fn opened(service: &Service, found: Found) -> anyhow::Result<()> {
    // A folder that is new says nothing about a bank in a database.
    let new = found == Found::Nothing && service.recovery.is_some();
    output::print(&if new { format!("made a new bank: {}", service.name) } else { recovery(service) })
}

fn recovery(service: &Service) -> String {
    let Some(recovery) = &service.recovery else {
        let events = service.books.reads().head().sequence;
        return format!("opened {}: {events} events in the database", service.name);
    };
    let mut text = format!(
        "opened {}: {} events, {} replayed in {:.3} s",
        service.name,
        recovery.head.sequence,
        recovery.replayed,
        recovery.took.as_secs_f64()
    );
    match &recovery.cut {
        None => text.push_str(", nothing cut"),
        Some(cut) => text.push_str(&format!(
            ", cut a torn tail of {} bytes at segment {}, offset {} that nobody was answered for ({})",
            cut.bytes, cut.segment, cut.offset, cut.what
        )),
    }
    // Leftovers of a merge are routine.
    let spoiled =
        service.discarded.iter().filter(|file| !matches!(file.why, Reason::Covered | Reason::Unfinished));
    match spoiled.count() {
        0 => {}
        count => text.push_str(&format!(", {count} key files could not be used and are made again")),
    }
    text
}

/// What is said when the server is ready. The first line is for programs too.
pub(super) async fn text(
    service: &Service,
    config: &Config,
    url: &str,
    demo: Option<&DemoFile>,
) -> anyhow::Result<String> {
    let data = quoted(&config.data);
    let mut text =
        format!("bankcore is ready at {url} (data folder {data})\nAPI documentation: {url}/docs\n");
    if let Some(demo) = demo {
        text.push_str(&format!(
            "Demonstration bank: all keys and account ids are in {}\n\
             Carol moves 2000.00 BDT from her savings to her current account:\n\n{}\n",
            quoted(&config.data.join("demo.json")),
            demo.curl()
        ));
    } else if service.keys.list_keys().await?.is_empty() {
        text.push_str(&format!(
            "There is no API key yet. Make the first one:\n\n\
             bankcore key create --data {data} --role admin --principal admin\n"
        ));
    }
    Ok(text)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted() {
        assert_eq!(quoted(Path::new("/var/lib/bankcore-1")), "/var/lib/bankcore-1");
        assert_eq!(quoted(Path::new("my bank's")), r"'my bank'\''s'");
    }
}
