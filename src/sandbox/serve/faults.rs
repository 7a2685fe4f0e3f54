//! What goes wrong at a service, on demand: slow or broken answers, other content, a wrong clock.
//!
//! A test adds faults in the process; the command line reads them from text such as `rekor-v2=status:503`.
//! This file only keeps the orders. `server` carries them out on the wire, and each service reads its clock here.

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::sandbox::serve::{ServiceName, UnknownService};

/// One thing that goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request waits before it is handled. It adds up, also with one other fault.
    Latency(Duration),
    /// An error status with a short plain text, and `Retry-After` if given (seconds or an HTTP date, RFC 9110 §10.2.3).
    Status {
        /// The HTTP status.
        code: u16,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// The headers of the right answer arrive, its body never does.
    Stall,
    /// The answer announces its whole length, sends half and closes the connection.
    Truncate,
    /// 200 with other content, as a captive portal or a proxy sends it.
    Content {
        /// The `Content-Type`.
        content_type: String,
        /// The whole body.
        body: Vec<u8>,
    },
    /// 307, which keeps method and body, to another place.
    Redirect {
        /// The value of `Location`.
        location: String,
    },
}

/// The faults and the clock of one service. Clones share them.
///
/// Faults other than latency exclude each other: the one added first is taken until its times are used up.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    orders: Vec<Order>,
    clock_offset: SignedDuration,
}

/// A fault, the requests it applies to, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What goes wrong.
    pub fault: Fault,
    /// A part of `METHOD path?query`; empty for every request.
    pub matching: String,
    /// How many requests it applies to; `None` for all that come.
    pub times: Option<usize>,
}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) latency: Duration,
    pub(crate) fault: Option<Fault>,
}

impl Faults {
    /// No faults and the true time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault for every request from now on.
    pub fn add(&self, fault: Fault) {
        self.add_matching(fault, "", None);
    }

    /// Adds a fault for requests whose `METHOD path?query` contains `matching`, at most `times` times.
    pub fn add_matching(&self, fault: Fault, matching: &str, times: Option<usize>) {
        self.lock().orders.push(Order {
            fault,
            matching: matching.to_owned(),
            times,
        });
    }

    /// Does what a line of the command line orders.
    pub fn apply(&self, change: Change) {
        match change {
            Change::Order(order) => self.lock().orders.push(order),
            Change::ClockOffset(offset) => self.set_clock_offset(offset),
        }
    }

    /// Ends all faults. The clock keeps its offset.
    pub fn clear(&self) {
        self.lock().orders.clear();
    }

    /// Makes the service believe that it is `offset` later than it is; negative for earlier.
    pub fn set_clock_offset(&self, offset: SignedDuration) {
        self.lock().clock_offset = offset;
    }

    /// The time as the service sees it. At the ends of what a timestamp can hold, the true time.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.lock().clock_offset).unwrap_or(now)
    }

    /// Takes what is due for a request, given as `METHOD path?query`.
    pub(crate) fn take(&self, request: &str) -> Plan {
        let mut plan = Plan::default();
        for order in &mut self.lock().orders {
            if order.times == Some(0) || !request.contains(&order.matching) {
                continue;
            }
            match &order.fault {
                Fault::Latency(more) => plan.latency += *more,
                _ if plan.fault.is_some() => continue,
                fault => plan.fault = Some(fault.clone()),
            }
            order.times = order.times.map(|left| left - 1);
        }
        plan
    }

    /// A panic elsewhere cannot leave a half-written order, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing to change at a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A fault to add.
    Order(Order),
    /// The offset of its clock.
    ClockOffset(SignedDuration),
}

/// A change at a named service, as written on the command line: `SERVICE=FAULT[,times=N][,on=TEXT]`.
///
/// `FAULT` is one of `latency:50ms`, `status:503`, `status:429:2` (with `Retry-After: 2`), `stall`, `truncate`,
/// `content:TYPE:BODY`, `redirect:URL`, or `clock:+3600s`. `TEXT` is a part of `METHOD path?query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpec {
    /// Whom it concerns.
    pub service: ServiceName,
    /// What to change there.
    pub change: Change,
}

/// Why a line is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultSpecError {
    /// No such service.
    #[error(transparent)]
    Service(#[from] UnknownService),
    /// The text is of none of the forms.
    #[error(
        "{text:?} is not a fault; write SERVICE=FAULT[,times=N][,on=TEXT] where FAULT is one of {FORMS}"
    )]
    Form {
        /// The text that was given.
        text: String,
    },
}

impl FromStr for FaultSpec {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || FaultSpecError::Form {
            text: text.to_owned(),
        };
        let (service, rest) = text.split_once('=').ok_or_else(malformed)?;
        let service = service.parse()?;
        let (rest, matching) = rest.split_once(",on=").unwrap_or((rest, ""));
        let (fault, times) = match rest.split_once(",times=") {
            Some((fault, times)) => (fault, Some(times.parse().map_err(|_| malformed())?)),
            None => (rest, None),
        };
        let change = match fault.strip_prefix("clock:") {
            Some(offset) => Change::ClockOffset(offset.parse().map_err(|_| malformed())?),
            None => Change::Order(Order {
                fault: Fault::parse(fault).ok_or_else(malformed)?,
                matching: matching.to_owned(),
                times,
            }),
        };
        Ok(Self { service, change })
    }
}

impl Fault {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest) {
            ("stall", "") => Some(Self::Stall),
            ("truncate", "") => Some(Self::Truncate),
            ("latency", time) => {
                let latency = time.parse::<SignedDuration>().ok()?;
                Some(Self::Latency(Duration::try_from(latency).ok()?))
            }
            ("status", answer) => {
                let (code, retry_after) = match answer.split_once(':') {
                    Some((code, retry_after)) => (code, Some(retry_after.to_owned())),
                    None => (answer, None),
                };
                let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
                Some(Self::Status { code, retry_after })
            }
            ("content", answer) => {
                let (content_type, body) = answer.split_once(':')?;
                Some(Self::Content {
                    content_type: content_type.to_owned(),
                    body: body.into(),
                })
            }
            ("redirect", location) if !location.is_empty() => Some(Self::Redirect {
                location: location.to_owned(),
            }),
            _ => None,
        }
    }
}

/// For the error of a line that is none of them.
const FORMS: &str = "latency:50ms, status:503, status:429:2 (Retry-After: 2), stall, truncate, \
                     content:TYPE:BODY, redirect:URL, clock:+3600s";

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> (ServiceName, Order) {
        let spec: FaultSpec = text.parse().unwrap();
        let Change::Order(order) = spec.change else {
            panic!("{text} is a clock")
        };
        (spec.service, order)
    }

    #[test]
    fn the_forms_of_the_command_line_are_read() {
        let status = |code, retry_after: Option<&str>| Fault::Status {
            code,
            retry_after: retry_after.map(Into::into),
        };
        let location = "http://127.0.0.1:1/x".to_owned();
        let html = Fault::Content {
            content_type: "text/html".into(),
            body: b"<a:b>".into(),
        };
        for (text, service, fault) in [
            (
                "rekor-v2=status:503",
                ServiceName::RekorV2,
                status(503, None),
            ),
            (
                "fulcio=status:429:2",
                ServiceName::Fulcio,
                status(429, Some("2")),
            ),
            (
                "tsa=latency:50ms",
                ServiceName::Tsa,
                Fault::Latency(Duration::from_millis(50)),
            ),
            ("registry=stall", ServiceName::Registry, Fault::Stall),
            ("registry=truncate", ServiceName::Registry, Fault::Truncate),
            ("oidc=content:text/html:<a:b>", ServiceName::Oidc, html),
            (
                "rekor-v1=redirect:http://127.0.0.1:1/x",
                ServiceName::RekorV1,
                Fault::Redirect { location },
            ),
        ] {
            let expected = Order {
                fault,
                matching: String::new(),
                times: None,
            };
            assert_eq!(order(text), (service, expected), "{text}");
        }
    }

    #[test]
    fn times_and_a_part_of_the_request_may_follow() {
        let (_, order) = order("registry=status:500,times=2,on=GET /v2/a,b");
        assert_eq!(
            (order.times, order.matching.as_str()),
            (Some(2), "GET /v2/a,b")
        );
    }

    #[test]
    fn a_clock_may_be_ahead_or_behind() {
        for (text, seconds) in [("tsa=clock:+3600s", 3600), ("tsa=clock:-1h", -3600)] {
            let spec: FaultSpec = text.parse().unwrap();
            assert_eq!(
                spec.change,
                Change::ClockOffset(SignedDuration::from_secs(seconds))
            );
        }
    }

    #[test]
    fn an_error_lists_the_forms() {
        for text in [
            "tsa",
            "tsa=",
            "tsa=status:99",
            "tsa=latency:-5s",
            "tsa=stall:1",
            "tsa=stall,times=x",
        ] {
            let error = text.parse::<FaultSpec>().unwrap_err().to_string();
            assert!(error.contains("status:503"), "{text}: {error}");
        }
        let error = "rekor=stall".parse::<FaultSpec>().unwrap_err();
        assert!(matches!(error, FaultSpecError::Service(_)));
    }

    #[test]
    fn a_fault_is_used_up_and_leaves_the_next_one() {
        let faults = Faults::new();
        faults.add_matching(Fault::Stall, "GET /a", Some(1));
        faults.add(Fault::Truncate);
        assert_eq!(faults.take("GET /ab").fault, Some(Fault::Stall));
        assert_eq!(faults.take("GET /ab").fault, Some(Fault::Truncate));
        faults.clear();
        assert_eq!(faults.take("GET /ab").fault, None);
    }

    #[test]
    fn latencies_add_up_and_go_with_another_fault() {
        let faults = Faults::new();
        faults.add(Fault::Latency(Duration::from_secs(1)));
        faults.add(Fault::Stall);
        faults.add_matching(Fault::Latency(Duration::from_secs(2)), "POST", None);
        let plan = faults.take("POST /");
        assert_eq!(
            (plan.latency, plan.fault),
            (Duration::from_secs(3), Some(Fault::Stall))
        );
        assert_eq!(faults.take("GET /").latency, Duration::from_secs(1));
    }

    #[test]
    fn the_clock_is_offset() {
        let faults = Faults::new();
        faults.set_clock_offset(SignedDuration::from_hours(-2));
        let behind = Timestamp::now().duration_since(faults.now());
        assert!((7190..7210).contains(&behind.as_secs()), "{behind}");
    }
}
