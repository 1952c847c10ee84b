//! Whom an address is of: the host and the port that rules are about.

/// Whom a connection is to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// In lower case; an address of version 6 in its brackets.
    pub host: String,
    /// 443, unless the address says another.
    pub port: u16,
}

impl Origin {
    /// Whom an address is of, and the path with its query there. None if it does not begin with `https://` and a plain host.
    #[must_use]
    pub fn of(url: &str) -> Option<(Self, String)> {
        let rest = url.strip_prefix("https://")?;
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port > 0)?),
            _ => (authority, 443),
        };
        let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let named = match literal {
            Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(plain),
        };
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        named.then(|| (Self { host: host.to_ascii_lowercase(), port }, target))
    }

    /// As a rule names it: the port where it is not the usual one.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The address of its root, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.host_and_port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_one_host() {
        let of = |url: &str| Origin::of(url).map(|(origin, target)| (origin.host_and_port(), target));
        let is = |host: &str, target: &str| Some((host.to_owned(), target.to_owned()));
        assert_eq!(of("https://Provider.Example/v2?a=b"), is("provider.example", "/v2?a=b"));
        assert_eq!(of("https://provider.example:8443"), is("provider.example:8443", "/"));
        assert_eq!(of("https://provider.example:443/a"), is("provider.example", "/a"));
        assert_eq!(of("https://[2606:4700::1]:8443/a"), is("[2606:4700::1]:8443", "/a"));
        assert_eq!(of("https://[2606:4700::1]/a"), is("[2606:4700::1]", "/a"));
        for url in [
            "http://provider.example/",
            "https:///a",
            "https://",
            "https://user@provider.example/",
            "https://provider.example:0/",
            "https://provider.example:x/",
            "https://provider example/",
            "https://[::1/",
            "https://[provider]/",
            "//provider.example/",
            "ftp://provider.example",
            "https://prövider.example/",
            "https://provider.example\\@elsewhere.example/",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
