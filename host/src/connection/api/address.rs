//! Where a name leads, and whether anybody may go there.
//!
//! A name is looked up once. Every address that it has must be one that may be reached, and those, and no others, are what is
//! connected to: a name that leads elsewhere a moment later leads nobody there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::model::http::HttpError;

/// Looks a name up.
pub(super) type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// What the system knows of a name.
pub(super) fn by_system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host, port).to_socket_addrs().map(Iterator::collect)
}

/// The addresses of a host, each of which may be connected to.
pub(super) fn resolve(lookup: Lookup, (host, port): (&str, u16), reach: Reach, time: Duration) -> Result<Pinned, HttpError> {
    let (tell, told) = mpsc::sync_channel(1);
    let name = host.to_owned();
    // The system cannot be told to give up; the thread ends when it does.
    std::thread::spawn(move || tell.send(lookup(&name, port)));
    let found = told.recv_timeout(time).map_err(|_| HttpError::Unreachable(format!("the name {host} was not looked up in time")))?;
    let addresses = found.map_err(|_| HttpError::Unreachable(format!("the name {host} has no address")))?;
    if addresses.is_empty() {
        return Err(HttpError::Unreachable(format!("the name {host} has no address")));
    }
    if let Some(refused) = addresses.iter().find(|address| !reach.allows(address.ip())) {
        let advice = if reach == Reach::Public && Reach::Private.allows(refused.ip()) {
            "; the operator may write allow-private = true for the connection's own host"
        } else {
            ""
        };
        return Err(HttpError::NotAllowed(format!("{host} leads to {}, which is no address of the public internet{advice}", refused.ip())));
    }
    Ok(Pinned { addresses: addresses.into_iter().take(ADDRESSES_MAX).collect() })
}

/// How far a connection may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Addresses of the public internet.
    Public,
    /// Those of private networks and of the hub's own machine too. Never those that hand out a cloud machine's credentials.
    Private,
}

impl Reach {
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.allows_v4(address),
            IpAddr::V6(address) => self.allows_v6(address),
        }
    }

    fn allows_v4(self, address: Ipv4Addr) -> bool {
        let [a, b, c, _] = address.octets();
        let private = address.is_private() || address.is_loopback() || a == 100 && (64..128).contains(&b);
        // Some clouds hand out credentials from within the shared range.
        let metadata = address == Ipv4Addr::new(100, 100, 100, 200);
        let special = a == 0
            || a >= 224
            || address.is_link_local()
            || address.is_documentation()
            || (a, b, c) == (192, 0, 0)
            || (a, b, c) == (192, 88, 99)
            || a == 198 && (b == 18 || b == 19)
            || metadata;
        if private { self == Self::Private && !metadata } else { !special }
    }

    fn allows_v6(self, address: Ipv6Addr) -> bool {
        let parts = address.segments();
        if let Some(mapped) = address.to_ipv4_mapped() {
            return self.allows_v4(mapped);
        }
        if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
            // What a translator makes of it is what counts.
            let [.., high, low] = parts;
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            return self.allows_v4(Ipv4Addr::new(a, b, c, d));
        }
        let unique_local = parts[0] & 0xfe00 == 0xfc00;
        if unique_local || address.is_loopback() {
            return self == Self::Private && address != Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
        }
        let global = parts[0] & 0xe000 == 0x2000;
        let special = parts[0] == 0x2001 && parts[1] < 0x200 // protocols, Teredo among them
            || parts[..2] == [0x2001, 0xdb8]
            || parts[0] == 0x2002 // 6to4: leads into IPv4
            || parts[0] == 0x3fff;
        global && !special
    }
}

/// Addresses that were looked at: what is connected to, whatever the name leads to by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pinned {
    pub(super) addresses: Vec<SocketAddr>,
}

impl Resolver for Pinned {
    fn resolve(&self, _: &ureq::http::Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        self.addresses.iter().for_each(|address| found.push(*address));
        Ok(found)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for address in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
        {
            assert!(Reach::Public.allows(address.parse().unwrap()), "{address}");
        }
        let private = [
            "127.0.0.1",
            "127.255.0.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "::1",
            "fc00::1",
            "fd12::9",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ];
        for address in private {
            let address = address.parse().unwrap();
            assert!(!Reach::Public.allows(address) && Reach::Private.allows(address), "{address}");
        }
        let never = [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "192.88.99.1",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
        ];
        for address in never {
            let address = address.parse().unwrap();
            assert!(!Reach::Public.allows(address) && !Reach::Private.allows(address), "{address}");
        }
    }

    #[test]
    fn one_address_that_may_not_be_reached_is_enough() {
        let time = Duration::from_secs(5);
        let mixed: Lookup = |_, port| Ok(vec![SocketAddr::from(([1, 1, 1, 1], port)), SocketAddr::from(([127, 0, 0, 1], port))]);
        let refused = resolve(mixed, ("provider.example", 443), Reach::Public, time).unwrap_err();
        assert!(refused.to_string().contains("leads to 127.0.0.1") && refused.to_string().contains("allow-private"), "{refused}");
        assert_eq!(resolve(mixed, ("provider.example", 443), Reach::Private, time).unwrap().addresses.len(), 2);
        let metadata: Lookup = |_, port| Ok(vec![SocketAddr::from(([169, 254, 169, 254], port))]);
        let refused = resolve(metadata, ("provider.example", 443), Reach::Private, time).unwrap_err();
        assert!(matches!(&refused, HttpError::NotAllowed(why) if !why.contains("allow-private")), "{refused}");
        let nowhere: Lookup = |_, _| Ok(Vec::new());
        assert!(matches!(resolve(nowhere, ("provider.example", 443), Reach::Public, time), Err(HttpError::Unreachable(_))));
        let slow: Lookup = |_, _| {
            std::thread::sleep(Duration::from_secs(2));
            Ok(Vec::new())
        };
        let refused = resolve(slow, ("provider.example", 443), Reach::Public, Duration::from_millis(50)).unwrap_err();
        assert!(refused.to_string().contains("in time"), "{refused}");
    }

    #[test]
    fn a_literal_is_its_own_name() {
        assert_eq!(by_system("[::1]", 9).unwrap(), ["[::1]:9".parse().unwrap()]);
        assert_eq!(by_system("127.0.0.1", 9).unwrap(), ["127.0.0.1:9".parse().unwrap()]);
    }
}
