// Compiled, never run: what the types promise, and what they refuse.
import { check, verify, type Policy, type Report } from "signgate";
import { verify as verifyWithNode } from "signgate/node";

const policy: Policy = { identity: "https://example.com/x", issuer: "https://example.com" };
const report: Report = verify("{}", "sha256:…", undefined, policy, new Date());
if (report.verdict === "allowed") {
    const who: string | undefined = report.signer.identity;
    const exit: 0 = report.exitCode;
    // @ts-expect-error: what is allowed has no code
    const code: string = report.code;
    void [who, exit, code];
} else {
    const [code, fix]: string[] = [report.code, report.fix];
    // @ts-expect-error: a refusal is not about a verified time
    void [code, fix, report.signedAt];
}
verifyWithNode("{}", "sha256:…", undefined, { key: "pem", artifact: "file" }, "2026-01-01T00:00:00Z");
check("{}", "sha256:…", { key: "pem" }).evaluate({ identityRegexp: "x", issuer: "y", claims: { "build-trigger": "push" } });

// @ts-expect-error: nobody is named
verify("{}", "sha256:…", undefined, {});
// @ts-expect-error: an identity means nothing without its issuer
verify("{}", "sha256:…", undefined, { identity: "x" });
// @ts-expect-error: a key has no issuer
verify("{}", "sha256:…", undefined, { key: "x", issuer: "y" });
// @ts-expect-error: a policy is required
verify("{}", "sha256:…", undefined);
// @ts-expect-error: a parsed bundle is not what was signed
verify({}, "sha256:…", undefined, policy);
