//! The door for JavaScript: text in, text out. `src/wasm/npm/index.js` is the other side of it, and the only caller.
//!
//! Nothing is decided here. A call parses its arguments, lets [`crate::flow::bundle`] verify and [`crate::policy`]
//! decide, and returns the report as JSON; whatever goes wrong is a report as well, never an exception. What has been
//! verified stays on this side, behind [`Evidence`]: no fact can be handed in that was not established here.

mod arguments;
pub mod host;

use crate::evidence::Bundle;
use crate::flow::bundle::{self, Request, Subject};
use crate::image::Digest;
use crate::outcome::{Coded, Problem};
use crate::report::bundle::BundleReport;
use crate::trust::TrustedRoot;
use crate::verify::Verified;
use arguments::{Artifact, Options};
use js_sys::Function;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;

/// Verifies `bundle` for the artifact with `digest` and decides by `policy`. The policy says what the artifact is and
/// which key to believe, so `options` need not.
#[wasm_bindgen]
pub fn verify(
    bundle: &str,
    digest: &str,
    policy: &str,
    options: &str,
    host: Option<Function>,
) -> String {
    let read = arguments::policy(policy).and_then(|read| {
        let options = arguments::options(options)?;
        Ok(Options {
            artifact: read.artifact,
            key: read.key,
            ..options
        })
    });
    let options = match read {
        Ok(options) => options,
        Err(problem) => return BundleReport::of_problem(&problem).to_json(),
    };
    Evidence(host::with(host, || checked(bundle, digest, options))).evaluate(policy)
}

/// The cryptography of [`verify`] alone, for a policy that is known later or for several of them.
#[wasm_bindgen]
pub fn check(bundle: &str, digest: &str, options: &str, host: Option<Function>) -> Evidence {
    let options = arguments::options(options);
    Evidence(host::with(host, || checked(bundle, digest, options?)))
}

/// A bundle whose cryptography has been checked.
#[wasm_bindgen]
pub struct Evidence(Result<(Digest, Checked), Problem>);

type Checked = Result<Box<Verified<Bundle>>, Problem>;

#[wasm_bindgen]
impl Evidence {
    /// Decides by `policy`, as JSON, and returns the report, as JSON.
    pub fn evaluate(&self, policy: &str) -> String {
        let report = match (&self.0, arguments::policy(policy)) {
            (Err(problem), _) => BundleReport::of_problem(problem),
            (_, Err(problem)) => BundleReport::of_problem(&problem),
            (Ok((digest, Err(problem))), _) => BundleReport::of_rejection(digest, problem),
            (Ok((digest, Ok(verified))), Ok(read)) => {
                let candidate = (*digest, verified.as_ref().clone());
                let decision = read.policy.evaluate(vec![candidate], Vec::new());
                BundleReport::of_decision(digest, &decision)
            }
        };
        report.to_json()
    }
}

fn checked(bundle: &str, digest: &str, options: Options) -> Result<(Digest, Checked), Problem> {
    let digest = arguments::digest(digest)?;
    let root = root((options.trusted_root.unwrap_or_default(), options.key))?;
    let time = options.time.as_deref().map(arguments::time);
    let request = Request {
        bundle: bundle.as_bytes().to_vec(),
        subject: match options.artifact {
            Artifact::Image => Subject::Image(&digest),
            Artifact::File => Subject::File(&digest),
        },
        trusted_root: &root,
        no_later_than: time.transpose()?,
    };
    let verified = bundle::verify(request);
    Ok((digest, verified.map(Box::new).map_err(problem)))
}

/// A trusted root, empty for the public instance's, and a key to believe instead of its certificate authorities.
type Trust = (String, Option<String>);

thread_local! {
    /// The last one: parsing it takes a tenth of a verification, and most callers have one.
    static LAST_ROOT: RefCell<Option<(Trust, Rc<TrustedRoot>)>> = const { RefCell::new(None) };
}

fn root(trust: Trust) -> Result<Rc<TrustedRoot>, Problem> {
    let known = LAST_ROOT.with_borrow(|last| match last {
        Some((known, root)) if *known == trust => Some(Rc::clone(root)),
        _ => None,
    });
    if let Some(root) = known {
        return Ok(root);
    }
    let key = trust.1.as_deref().map(arguments::key).transpose()?;
    let root = Rc::new(arguments::trusted_root(&trust.0)?.believing(key));
    LAST_ROOT.set(Some((trust, Rc::clone(&root))));
    Ok(root)
}

fn problem(error: impl Coded) -> Problem {
    Problem::of(&error)
}
