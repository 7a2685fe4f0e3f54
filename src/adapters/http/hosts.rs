//! Which host may be told what: where plain HTTP ends, and how far a redirect leads.

use super::header::LOCATION;
use super::{Method, Response, Url};
use crate::flow::ports::Fault;

/// Where `response` to a request at `url` leads, if that may be followed: never from TLS to plain HTTP, and to another
/// host only what reads. A body may hold a token, so it stays with whom it was meant for.
pub(super) fn redirect(
    method: &Method,
    url: &Url,
    response: &Response,
    plain_hosts: &[String],
) -> Result<Option<Url>, Fault> {
    let reads = method == Method::GET;
    let keeps_method = matches!(response.status().as_u16(), 307 | 308);
    let leads_on = keeps_method || matches!(response.status().as_u16(), 301..=303) && reads;
    let Some(location) = response.headers().get(LOCATION).filter(|_| leads_on) else {
        return Ok(None);
    };
    let target = location.to_str().ok();
    let target = target
        .and_then(|target| url.join(target).ok())
        .ok_or_else(|| Fault::Unexpected("a redirect to nowhere".to_owned()))?;
    let stays_plain = url.scheme() == "http" && may_be_plain(&target, plain_hosts);
    if target.scheme() != "https" && !stays_plain {
        return Err(Fault::Unexpected("a redirect that leaves TLS".to_owned()));
    }
    Ok((reads || target.origin() == url.origin()).then_some(target))
}

/// Whether `url` is on the loopback interface.
pub(super) fn is_this_machine(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Plain HTTP is for this machine, and for hosts that the user named.
pub(super) fn may_be_plain(url: &Url, named: &[String]) -> bool {
    if url.scheme() != "http" {
        return false;
    }
    let Some(host) = url.host_str() else {
        return false;
    };
    let with_port = url.port().map(|port| format!("{host}:{port}"));
    is_this_machine(url)
        || named
            .iter()
            .any(|name| name == host || Some(name) == with_port.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_named_hosts() {
        let named = vec!["registry.lan:5000".to_owned(), "mirror.lan".to_owned()];
        for (url, allowed) in [
            ("http://127.0.0.1:5000/v2/", true),
            ("http://[::1]:5000/v2/", true),
            ("http://localhost/v2/", true),
            ("http://registry.lan:5000/v2/", true),
            ("http://mirror.lan:8080/v2/", true),
            ("http://registry.lan/v2/", false),
            ("http://localhost.evil.example/v2/", false),
            ("http://127.0.0.1.evil.example/v2/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(
                may_be_plain(&Url::parse(url).unwrap(), &named),
                allowed,
                "{url}"
            );
        }
    }
}
