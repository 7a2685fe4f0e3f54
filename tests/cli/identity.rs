//! An identity is a structure: what a certificate says about the job can be required, and a name can be a pattern.

use signgate::sandbox::Identity;
use signgate::verify::Claim;

use crate::harness::{IDENTITY, Pushed, Run, World};

const WORKFLOW: &str = ".github/workflows/release.yml";
const PATTERN: &str =
    r"https://github\.com/acme/app/\.github/workflows/[a-z]+\.yml@refs/heads/main";

fn main_branch() -> Identity {
    Identity::github("acme/app", WORKFLOW, "refs/heads/main").with("environment", "production")
}

fn signed_by(job: Identity) -> (World, Pushed) {
    let world = World::new();
    let image = world.push("app:v1");
    world.sandbox.oidc().set_job(job);
    world.sign(&image.pinned).ok();
    (world, image)
}

fn requiring(world: &World, image: &Pushed, claims: &[(Claim, String)]) -> Run {
    claims
        .iter()
        .fold(
            world.verifier(&image.pinned, IDENTITY, &world.issuer()),
            |run, (claim, value)| run.arg("--require").arg(format!("{claim}={value}")),
        )
        .run()
}

#[test]
fn every_claim_is_reported_and_can_be_required() {
    let (world, image) = signed_by(main_branch());
    let reported = world.verify(&image.pinned).ok().signature()["claims"].clone();
    let all: Vec<(Claim, String)> = Claim::ALL
        .iter()
        .map(|claim| {
            (
                *claim,
                reported[claim.name()]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            )
        })
        .collect();
    assert!(all.iter().all(|(_, value)| !value.is_empty()), "{reported}");
    requiring(&world, &image, &all).ok();
    for (claim, value) in &all {
        let run = requiring(&world, &image, &[(*claim, format!("{value}x"))]);
        let run = run.ended("claim-mismatch", 12);
        let finding = &run.image()["rejected"][0]["findings"][0];
        assert_eq!(finding["expected"], format!("{claim}={value}x"));
        assert_eq!(finding["found"], format!("{claim}={value}"));
    }
}

#[test]
fn the_numbers_of_the_claims_are_fulcios() {
    let numbers: Vec<u32> = Claim::ALL.iter().map(|claim| claim.number()).collect();
    assert_eq!(numbers, (9..=24).collect::<Vec<_>>());
}

#[test]
fn the_help_names_every_claim() {
    let help = World::new().outside(&["verify", "--help"]).run_raw().stdout;
    for claim in Claim::ALL {
        assert!(help.contains(claim.name()), "{claim}");
    }
}

#[test]
fn a_strangers_pull_request_with_the_name_of_the_main_branch() {
    let (world, image) = signed_by(main_branch().with("event_name", "pull_request_target"));
    // The name is the main branch's: that is the trap, and it is GitHub's.
    world.verify(&image.pinned).ok();
    let push = [(Claim::BuildTrigger, "push".to_owned())];
    requiring(&world, &image, &push).ended("claim-mismatch", 12);
}

#[test]
fn a_repository_that_was_made_anew_under_the_old_name() {
    let (world, image) = signed_by(main_branch().with("repository_id", "666"));
    let original = [(Claim::SourceRepositoryIdentifier, "42".to_owned())];
    requiring(&world, &image, &original).ended("claim-mismatch", 12);
}

#[test]
fn a_claim_that_the_certificate_does_not_make_is_not_met() {
    let (world, image) = signed_by(main_branch().without("environment"));
    let production = [(Claim::DeploymentEnvironment, "production".to_owned())];
    let run = requiring(&world, &image, &production).ended("claim-mismatch", 12);
    assert!(
        run.image()["rejected"][0]["findings"][0]
            .get("found")
            .is_none()
    );
}

fn matching(world: &World, image: &Pushed, pattern: &str) -> Run {
    let arguments = [
        "verify",
        &image.pinned,
        "--certificate-identity-regexp",
        pattern,
    ];
    let run = world.outside(&arguments).arg("--certificate-oidc-issuer");
    run.arg(world.issuer()).run()
}

#[test]
fn a_pattern_matches_the_whole_identity() {
    let (world, image) = signed_by(main_branch());
    matching(&world, &image, PATTERN).ok();
    matching(&world, &image, &format!("^{PATTERN}$")).ok();
    let prefix = r"https://github\.com/acme/app/\.github/workflows/[a-z]+\.yml@refs/heads/m";
    matching(&world, &image, prefix).ended("identity-mismatch", 12);
}

#[test]
fn a_pattern_that_would_let_strangers_in_is_refused_before_any_request() {
    let (world, image) = signed_by(main_branch());
    world.sandbox.requests().clear();
    for pattern in [
        "https://github.com/acme/app/.*",
        ".*",
        r"https?://github\.com/acme/.*",
        "(",
    ] {
        matching(&world, &image, pattern).ended("identity-pattern-unsafe", 2);
    }
    assert!(world.sandbox.requests().all().is_empty());
}
