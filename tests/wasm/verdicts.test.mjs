// The npm package says about every public vector what the native program says: verdict, exit code and code, with either
// cryptography. The native verdicts come from tests/vectors.rs: SIGNGATE_VERDICTS names the file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cases, providers, vectorsAreThere } from "./vectors.mjs";

const VERDICTS = { true: "denied", false: "error" };

if (vectorsAreThere()) {
    const native = JSON.parse(readFileSync(process.env.SIGNGATE_VERDICTS, "utf8"));

    for (const [provider, { verify, check }] of Object.entries(providers)) {
        test(`every vector has the verdict of the native program, with ${provider}`, () => {
            const all = cases();
            assert.deepEqual(all.map(({ name }) => name), Object.keys(native).sort());
            for (const { name, arguments: [bundle, digest, trustedRoot, policy] } of all) {
                const { exit, code } = native[name].digest;
                const report = verify(bundle, digest, trustedRoot, policy);
                assert.equal(report.exitCode, exit, `${name}: ${JSON.stringify(report)}`);
                assert.equal(report.code ?? null, code, name);
                assert.equal(report.verdict, exit === 0 ? "allowed" : VERDICTS[exit >= 10 && exit < 20], name);

                const { key, artifact } = policy;
                const inTwo = check(bundle, digest, { trustedRoot, key, artifact }).evaluate(policy);
                assert.deepEqual(inTwo, report, `${name} in two calls`);
            }
        });
    }
}
