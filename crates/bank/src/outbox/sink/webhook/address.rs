//! Where webhooks may go: the public internet over https, and what the operator allows by address.
//!
//! Without this anybody who may register a webhook could have the bank's own machine knock at doors inside: at a
//! database, a cloud's metadata, a printer. A name is looked up when the connection is made, and the connection
//! goes to the address that was looked at: a name that leads elsewhere a moment later leads nowhere.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Longest address of a webhook.
pub const URL_BYTES_MAX: usize = 2_048;

/// Addresses that the operator allows although they are not public; plain http goes to these only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowList(Vec<Range>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: IpAddr,
    bits: u8,
}

/// A text that is no list of addresses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "\"{0}\" is no address; write addresses or ranges with commas between them, like 127.0.0.1, 10.1.0.0/16"
)]
pub struct NotAList(String);

impl FromStr for AllowList {
    type Err = NotAList;

    fn from_str(text: &str) -> Result<AllowList, NotAList> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words
            .map(|word| range(word).ok_or_else(|| NotAList(word.to_owned())))
            .collect::<Result<_, _>>()
            .map(AllowList)
    }
}

fn range(word: &str) -> Option<Range> {
    let (address, bits) = word.split_once('/').map_or((word, None), |(address, bits)| (address, Some(bits)));
    let first: IpAddr = address.parse().ok()?;
    let whole = if first.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(whole), |bits| bits.parse().ok().filter(|bits| *bits <= whole))?;
    Some(Range { first, bits })
}

impl AllowList {
    fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.holds(address))
    }
}

impl Range {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                same(first.to_bits().into(), address.to_bits().into(), 32 - u32::from(self.bits))
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                same(first.to_bits(), address.to_bits(), 128 - u32::from(self.bits))
            }
            _ => false,
        }
    }
}

/// Are two addresses the same but for the last bits?
fn same(one: u128, other: u128, last: u32) -> bool {
    (one ^ other).checked_shr(last).unwrap_or(0) == 0
}

/// Why a webhook may not go somewhere.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAllowed {
    /// Not the address of a webhook at all.
    #[error("{0}")]
    Form(&'static str),
    /// The name leads nowhere.
    #[error("the host {0} cannot be found")]
    Unknown(String),
    /// Not public, and not allowed by the operator.
    #[error("{0} is not a public address")]
    Inside(String),
    /// Plain http to somewhere in the world.
    #[error("plain http is for addresses only that the operator allows; use https")]
    Plain,
}

/// Reads the address of a webhook; where it leads is looked at by [`check`].
///
/// # Errors
/// [`NotAllowed::Form`].
pub fn parse(text: &str) -> Result<Url, NotAllowed> {
    if text.len() > URL_BYTES_MAX {
        return Err(NotAllowed::Form("the address is longer than 2048 bytes"));
    }
    let url = Url::parse(text).map_err(|_| NotAllowed::Form("this is no URL; it begins with https://"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(NotAllowed::Form("a webhook is sent over https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotAllowed::Form("the address holds a name or password; the signature says who sends"));
    }
    if url.fragment().is_some() {
        return Err(NotAllowed::Form("the address holds a fragment (#), which is never sent"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(NotAllowed::Form("the address names no host"));
    }
    Ok(url)
}

/// Looks where an address leads now.
///
/// # Errors
/// [`NotAllowed`]: nobody may be connected to there.
pub async fn check(url: &Url, allowed: &AllowList) -> Result<(), NotAllowed> {
    let door = Door { allowed: allowed.clone(), plain: url.scheme() == "http" };
    match url.host() {
        Some(url::Host::Ipv4(address)) => door.lets(address.into()),
        Some(url::Host::Ipv6(address)) => door.lets(address.into()),
        Some(url::Host::Domain(name)) => door.look_up(name).await.map(drop),
        None => Err(NotAllowed::Form("the address names no host")),
    }
}

/// Decides about addresses, and is the only way by which a webhook's connections find any.
#[derive(Clone, Debug)]
pub struct Door {
    allowed: AllowList,
    plain: bool,
}

impl Door {
    /// Of the webhook at `url`.
    #[must_use]
    pub fn of(url: &Url, allowed: &AllowList) -> Arc<Door> {
        Arc::new(Door { allowed: allowed.clone(), plain: url.scheme() == "http" })
    }

    fn lets(&self, address: IpAddr) -> Result<(), NotAllowed> {
        match (self.allowed.holds(address), is_public(address), self.plain) {
            (true, ..) | (false, true, false) => Ok(()),
            (false, true, true) => Err(NotAllowed::Plain),
            (false, false, _) => Err(NotAllowed::Inside(address.to_string())),
        }
    }

    /// The addresses behind a name. One that may not be connected to shuts them all out: a name that leads
    /// inside is not a public one, whatever else it leads to.
    async fn look_up(&self, name: &str) -> Result<Vec<SocketAddr>, NotAllowed> {
        let unknown = || NotAllowed::Unknown(name.to_owned());
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((name, 0)).await.map_err(|_| unknown())?.collect();
        if found.is_empty() {
            return Err(unknown());
        }
        found.iter().try_for_each(|address| self.lets(address.ip()))?;
        Ok(found)
    }
}

/// The resolver of a webhook's connections.
pub struct Looking(pub Arc<Door>);

impl Resolve for Looking {
    fn resolve(&self, name: Name) -> Resolving {
        let door = Arc::clone(&self.0);
        Box::pin(async move {
            let found = door.look_up(name.as_str()).await.map_err(io::Error::other)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.0.iter().map(|range| format!("{}/{}", range.first, range.bits)).collect();
        f.write_str(&words.join(", "))
    }
}

/// Is it an address of the public internet? What is not known to be one is none.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => public_v4(address),
        IpAddr::V6(address) => public_v6(address),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    const NOT: [(Ipv4Addr, u32); 15] = [
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        // Multicast, reserved, broadcast.
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    !NOT.iter().any(|(first, bits)| same(first.to_bits().into(), address.to_bits().into(), 32 - bits))
}

/// Only 2000::/3 is given out at all; mapped, translated and local addresses lie outside of it.
fn public_v6(address: Ipv6Addr) -> bool {
    const NOT: [(Ipv6Addr, u32); 4] = [
        // Teredo and other protocols' own.
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
        // 6to4: an IPv4 address in disguise.
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
        (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ];
    let given_out = same(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0).to_bits(), address.to_bits(), 125);
    given_out && !NOT.iter().any(|(first, bits)| same(first.to_bits(), address.to_bits(), 128 - bits))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("8.8.8.8", true)]
    #[case("100.63.255.255", true)]
    #[case("100.64.0.0", false)]
    #[case("100.127.255.255", false)]
    #[case("100.128.0.0", true)]
    #[case("127.0.0.1", false)]
    #[case("0.0.0.0", false)]
    #[case("10.255.255.255", false)]
    #[case("11.0.0.0", true)]
    #[case("172.15.255.255", true)]
    #[case("172.16.0.0", false)]
    #[case("172.31.255.255", false)]
    #[case("172.32.0.0", true)]
    #[case("192.168.1.1", false)]
    #[case::metadata_of_a_cloud("169.254.169.254", false)]
    #[case::metadata_of_another("192.0.0.192", false)]
    #[case("198.18.0.1", false)]
    #[case("198.20.0.0", true)]
    #[case("223.255.255.255", true)]
    #[case::multicast("224.0.0.1", false)]
    #[case("255.255.255.255", false)]
    #[case("2606:4700::1111", true)]
    #[case("::1", false)]
    #[case("::", false)]
    #[case::mapped("::ffff:8.8.8.8", false)]
    #[case::mapped_loopback("::ffff:127.0.0.1", false)]
    #[case::compatible("::127.0.0.1", false)]
    #[case::translated("64:ff9b::7f00:1", false)]
    #[case::six_to_four("2002:7f00:1::", false)]
    #[case::teredo("2001:0:1::", false)]
    #[case::unique_local("fd00:ec2::254", false)]
    #[case::link_local("fe80::1", false)]
    #[case::site_local("fec0::1", false)]
    #[case::multicast_v6("ff02::1", false)]
    #[case::documentation("2001:db8::1", false)]
    fn only_addresses_of_the_world_are_public(#[case] address: &str, #[case] public: bool) {
        assert_eq!(is_public(address.parse().unwrap()), public);
    }

    #[rstest]
    #[case("https://hooks.example.com/in?x=1", Ok(()))]
    #[case("ftp://hooks.example.com/", Err("a webhook is sent over https"))]
    #[case("file:///etc/passwd", Err("a webhook is sent over https"))]
    #[case(
        "https://me:secret@example.com/",
        Err("the address holds a name or password; the signature says who sends")
    )]
    #[case("https://example.com/#top", Err("the address holds a fragment (#), which is never sent"))]
    #[case("hooks.example.com", Err("this is no URL; it begins with https://"))]
    #[case("", Err("this is no URL; it begins with https://"))]
    fn an_address_has_a_form(#[case] text: &str, #[case] expected: Result<(), &'static str>) {
        assert_eq!(parse(text).map(drop), expected.map_err(NotAllowed::Form));
    }

    #[test]
    fn an_address_may_be_2048_bytes_long() {
        let url = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
        assert!(parse(&url(2_048)).is_ok());
        assert_eq!(parse(&url(2_049)), Err(NotAllowed::Form("the address is longer than 2048 bytes")));
    }

    #[rstest]
    #[case::loopback("https://127.0.0.1/", "", Err("127.0.0.1 is not a public address"))]
    #[case::one_number("https://2130706433/", "", Err("127.0.0.1 is not a public address"))]
    #[case::octal("https://0177.0.0.1/", "", Err("127.0.0.1 is not a public address"))]
    #[case::mapped("https://[::ffff:127.0.0.1]/", "", Err("::ffff:127.0.0.1 is not a public address"))]
    #[case::by_name("https://localhost/", "", Err("is not a public address"))]
    #[case::public("https://8.8.8.8/", "", Ok(()))]
    #[case::plain("http://8.8.8.8/", "", Err("plain http is for addresses only"))]
    #[case::allowed("http://127.0.0.1:9000/", "127.0.0.1", Ok(()))]
    #[case::another_is_not("http://127.0.0.2/", "127.0.0.1", Err("127.0.0.2 is not a public address"))]
    #[case::in_a_range("http://10.1.255.1/", "192.168.0.0/24, 10.1.0.0/16", Ok(()))]
    #[case::beside_a_range("http://10.2.0.0/", "10.1.0.0/16", Err("10.2.0.0 is not a public address"))]
    #[case::everything("http://10.2.0.0/", "0.0.0.0/0", Ok(()))]
    #[tokio::test]
    async fn a_webhook_goes_into_the_world_or_where_the_operator_allows(
        #[case] url: &str,
        #[case] allowed: &str,
        #[case] expected: Result<(), &str>,
    ) {
        let found = check(&parse(url).unwrap(), &allowed.parse().unwrap()).await;
        match (found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
            (found, _) => panic!("{url}: {found:?}"),
        }
    }

    #[rstest]
    #[case("127.0.0.1/33")]
    #[case("localhost")]
    #[case("10.0.0.0/8;11.0.0.0/8")]
    #[case("::/129")]
    fn a_list_holds_addresses_only(#[case] text: &str) {
        assert!(text.parse::<AllowList>().is_err());
    }

    /// A name that was public when it was registered and leads inside now.
    #[tokio::test]
    async fn a_name_is_looked_at_again_when_the_connection_is_made() {
        let door = Door::of(&parse("https://localhost/").unwrap(), &AllowList::default());
        let found = Looking(door).resolve("localhost".parse().unwrap()).await;
        assert!(found.err().unwrap().to_string().contains("is not a public address"));
    }
}
