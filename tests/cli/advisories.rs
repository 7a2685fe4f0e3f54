//! What went wrong in others, each with the test here that would go red. The attack is in the name of the test; this table
//! is how to find it by the number of the advisory.

/// Advisory, file of the test, name of the test.
const COVERED: &[(&str, &str, &str)] = &[
    (
        "CVE-2022-23649",
        "refusals",
        "a_log_entry_of_another_artifact_1",
    ),
    (
        "CVE-2022-35929",
        "refusals",
        "an_attestation_is_not_a_signature",
    ),
    (
        "CVE-2022-36056",
        "refusals",
        "a_log_entry_of_another_signer_1",
    ),
    (
        "CVE-2023-46737",
        "refusals",
        "a_bundle_larger_than_it_was_announced_is_not_read_to_its_end",
    ),
    (
        "CVE-2024-29902",
        "refusals",
        "a_bundle_announced_with_a_gigabyte_is_not_fetched",
    ),
    (
        "CVE-2024-29903",
        "refusals",
        "more_referrers_than_are_read_are_refused_not_cut_off",
    ),
    (
        "CVE-2026-22703",
        "refusals",
        "a_log_entry_of_another_artifact_2",
    ),
    (
        "CVE-2026-24122",
        "refusals",
        "a_certificate_by_an_expired_authority_1",
    ),
    (
        "CVE-2026-39395",
        "refusals",
        "an_attestation_is_not_a_signature",
    ),
    (
        "CVE-2024-45395",
        "refusals",
        "more_proofs_than_any_honest_bundle_has",
    ),
    (
        "CVE-2026-31830",
        "refusals",
        "a_statement_about_another_image",
    ),
    (
        "CVE-2024-53267",
        "refusals",
        "a_log_entry_of_another_artifact_1",
    ),
    (
        "CVE-2020-15157",
        "hostile",
        "a_host_that_the_registry_redirects_to_cannot_ask_for_its_password",
    ),
    (
        "GHSA-fx35-mq7g-6g98",
        "legacy",
        "a_public_key_in_the_place_of_the_certificate",
    ),
    ("GHSA-9vcr-p3rj-q5q6", "strict", "the_same_log_entry_twice"),
    (
        "cosign#471, duplicate timestamps",
        "strict",
        "the_same_timestamp_twice",
    ),
    (
        "cosign#4648 to #4653, panics",
        "refusals",
        "a_bundle_nested_without_end",
    ),
    (
        "TOB-SIGSTORE-2, unproven entry",
        "refusals",
        "no_log_entry_1",
    ),
    (
        "TOB-SIGSTORE-3, unauthenticated integrated time",
        "refusals",
        "an_entry_from_before_the_certificate",
    ),
    (
        "TOB-SIGSTORE-8, several signatures",
        "refusals",
        "an_envelope_without_or_with_two_signatures",
    ),
    (
        "TOB-SIGSTORE-11, timestamp authority",
        "refusals",
        "an_untrusted_timestamp_authority_1",
    ),
    (
        "sigstore-rs#588, predicate",
        "refusals",
        "an_attestation_is_not_a_signature",
    ),
    (
        "sigstore-rs#596, first subject only",
        "refusals",
        "one_subject_of_several_is_enough",
    ),
    (
        "sigstore-rust#154, message signature",
        "refusals",
        "a_signature_over_bytes_instead_of_a_statement",
    ),
    (
        "cosign: unanchored patterns",
        "identity",
        "a_pattern_matches_the_whole_identity",
    ),
    (
        "cosign: fail-open on a failed fetch",
        "fetches",
        "when_the_list_of_referrers_fails",
    ),
];

#[test]
fn every_advisory_has_the_test_that_the_table_names() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut missing = Vec::new();
    for (advisory, file, test) in COVERED {
        let source = std::fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap();
        let is_there =
            source.contains(&format!("fn {test}()")) || source.contains(&format!("    {test}: "));
        if !is_there {
            missing.push(format!("{advisory}: {file}::{test}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
