// What a caller of the npm package meets: policies, times, wrong arguments, hostile input.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cases, providers, vectorsAreThere } from "./vectors.mjs";

const { verify, check } = providers["its own cryptography"];
const NOBODY = { identity: "https://example.com/nobody", issuer: "https://example.com" };
const ZERO = `sha256:${"0".repeat(64)}`;

test("wrong arguments are reports, not exceptions", () => {
    for (const [what, report] of [
        ["no arguments", verify()],
        ["a bundle that is parsed already", verify({}, ZERO, undefined, NOBODY)],
        ["an empty bundle", verify("", ZERO, undefined, NOBODY)],
        ["an empty trusted root", verify("{}", ZERO, "", NOBODY)],
        ["no trusted root by null", verify("{}", ZERO, null, NOBODY)],
        ["no digest", verify("{}", "latest", undefined, NOBODY)],
        ["a digest in capitals", verify("{}", ZERO.replaceAll("0", "A"), undefined, NOBODY)],
        ["no policy", verify("{}", ZERO, undefined, undefined)],
        ["an empty policy", verify("{}", ZERO, undefined, {})],
        ["an empty identity", verify("{}", ZERO, undefined, { ...NOBODY, identity: "" })],
        ["no issuer", verify("{}", ZERO, undefined, { identity: "x" })],
        ["an unknown option", verify("{}", ZERO, undefined, { ...NOBODY, isuer: "x" })],
        ["an unknown claim", verify("{}", ZERO, undefined, { ...NOBODY, claims: { color: "red" } })],
        ["a key and an identity", verify("{}", ZERO, undefined, { ...NOBODY, key: "x" })],
        ["a cyclic policy", verify("{}", ZERO, undefined, cyclic())],
        ["a time that is none", verify("{}", ZERO, undefined, NOBODY, "tomorrow")],
        ["a date that is none", verify("{}", ZERO, undefined, NOBODY, new Date("tomorrow"))],
        ["an unknown option of check", check("{}", ZERO, { trusted_root: "x" }).evaluate(NOBODY)],
    ]) {
        assert.deepEqual([report.verdict, report.code, report.exitCode], ["error", "usage-invalid", 2], what);
        assert.ok(report.what && report.fix, what);
    }
});

test("an unsafe pattern is refused with the corrected one", () => {
    const report = verify("{}", ZERO, undefined, { identityRegexp: "https://github.com/acme/.*", issuer: "i" });
    assert.equal(report.verdict, "error");
    assert.match(report.fix, /https:\/\/github\\\.com\/acme\/\.\*/);
});

test("a trusted root that is none is named", () => {
    assert.equal(verify("{}", ZERO, "{}", NOBODY).code, "trust-material-invalid");
    assert.equal(verify("{}", ZERO, undefined, { key: "-----BEGIN" }).code, "public-key-invalid");
});

test("hostile text is refused, and the next call works", () => {
    for (const bundle of ["[".repeat(1e6), '{"a":'.repeat(1e5), "\u{0}", "\ud800", `"${"x".repeat(20 << 20)}"`]) {
        const report = verify(bundle, ZERO, undefined, NOBODY);
        assert.equal(report.verdict, "denied", bundle.slice(0, 20));
        assert.ok(["bundle-malformed", "evidence-too-large"].includes(report.code), report.code);
    }
    assert.equal(verify("{}", ZERO, undefined, NOBODY).code, "bundle-malformed");
});

if (vectorsAreThere()) {
    const case_ = (name) => cases().find((case_) => case_.name === name).arguments;

    test("a policy can be put to evidence several times", () => {
        const [bundle, digest, trustedRoot, policy] = case_("happy-path-v0.3-new-mediaType");
        const evidence = check(bundle, digest, { trustedRoot, artifact: "file" });
        assert.equal(evidence.evaluate(policy).verdict, "allowed");
        const other = evidence.evaluate({ ...policy, identity: "https://example.com/other" });
        assert.deepEqual([other.verdict, other.code], ["denied", "identity-mismatch"]);
        assert.equal(other.findings[0].expected, "https://example.com/other");
        assert.equal(other.findings[0].found, policy.identity);
        assert.equal(evidence.evaluate({ ...policy, issuer: "https://example.com" }).code, "issuer-mismatch");
        const claims = { "build-trigger": "pull_request" };
        assert.equal(evidence.evaluate({ ...policy, claims }).code, "claim-mismatch");
        assert.equal(evidence.evaluate({ ...policy, artifact: "image" }).code, "predicate-type-mismatch");
        assert.equal(evidence.evaluate(policy).verdict, "allowed");
    });

    test("an attestation is no image signature unless it is asked for", () => {
        const [bundle, digest, trustedRoot, { identity, issuer }] = case_("rekor2-dsse-happy-path");
        const policy = { identity, issuer };
        assert.equal(verify(bundle, digest, trustedRoot, policy).code, "predicate-type-mismatch");
        const { predicateType } = verify(bundle, digest, trustedRoot, { ...policy, artifact: "file" });
        assert.equal(verify(bundle, digest, trustedRoot, { ...policy, predicateType }).verdict, "allowed");
    });

    test("what was signed later than the given time is refused", () => {
        const [bundle, digest, trustedRoot, policy] = case_("happy-path-v0.3-new-mediaType");
        const { signedAt } = verify(bundle, digest, trustedRoot, policy);
        const at = Date.parse(signedAt);
        assert.equal(verify(bundle, digest, trustedRoot, policy, signedAt).verdict, "allowed");
        assert.equal(verify(bundle, digest, trustedRoot, policy, new Date(at + 1000)).verdict, "allowed");
        const before = verify(bundle, digest, trustedRoot, policy, new Date(at - 1000));
        assert.deepEqual([before.verdict, before.code], ["denied", "timestamp-invalid"]);
    });
}

test("the package says what it is", () => {
    const read = (path) => readFileSync(new URL(path, new URL("../../", import.meta.url)), "utf8");
    const version = /^version = "(.*)"$/m.exec(read("Cargo.toml"))[1];
    assert.equal(JSON.parse(read("target/npm/package.json")).version, version);
});

function cyclic() {
    const policy = { ...NOBODY };
    policy.claims = policy;
    return policy;
}
