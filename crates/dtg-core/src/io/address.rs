//! Which addresses are not on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address can only be reached from this machine or its own network: loopback, private,
/// link-local, unique-local, shared by a carrier (RFC 6598), unspecified, reserved, or an IPv6 address
/// that stands for such an IPv4 one.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    match standing_for(address) {
        Some(v4) => is_private_v4(v4),
        None => {
            let [first, second, third, ..] = address.segments();
            address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || (first & 0xfe00) == 0xfc00
                // Link-local, and the site-local addresses of old.
                || (first & 0xff80) == 0xfe80
                // Translation within one network (RFC 8215).
                || (first == 0x64 && second == 0xff9b && third == 1)
        }
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible (but `::` and `::1`), translated (RFC 2765), NAT64
/// (RFC 6052), 6to4 (RFC 3056).
fn standing_for(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(addresses: &str, expected: bool) {
        for address in addresses.split_whitespace() {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn what_only_this_network_reaches_is_private() {
        check("127.0.0.1 127.255.255.255 0.0.0.0 0.1.2.3", true);
        check("10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1", true);
        check("169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.8 198.18.0.1", true);
        check("224.0.0.1 240.0.0.1 255.255.255.255", true);
        check(":: ::1 fe80::1 febf::1 fec0::1 fc00::1 fdff::1 ff02::1 64:ff9b:1::1", true);
    }

    #[test]
    fn an_ipv6_address_that_stands_for_a_private_ipv4_one_is_private() {
        check("::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0.0.0.0 ::10.0.0.1 64:ff9b::192.168.0.1", true);
        check("::ffff:0:10.0.0.1 2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::", true);
        check("::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::", false);
    }

    #[test]
    fn what_lies_beside_the_private_ranges_is_public() {
        check("8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255", false);
        check("169.253.0.1 100.63.255.255 100.128.0.0 198.17.0.1 198.20.0.1 192.0.1.1 203.0.113.7", false);
        check("2606:4700::1 2001:db8::1 64:ff9b:2::1 fb00::1", false);
    }
}
