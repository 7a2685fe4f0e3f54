// Wycheproof through both kinds of cryptography that the npm package can verify with, by the way that every signature
// takes. tests/wycheproof.rs has the native ones, and says what is done about `acceptable` and P-521.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { signature_is_valid } from "../../target/npm/signgate.js";
import { signatureIsValid } from "../../target/npm/host.node.js";
import "../../target/npm/load.node.js";
import { vectorsAreThere } from "./vectors.mjs";

const folder = process.env.SIGNGATE_VECTORS
    ? new URL(`file://${process.env.SIGNGATE_VECTORS}/../wycheproof/`)
    : new URL("../../../shared/vectors/wycheproof/", import.meta.url);
const FILES = {
    ecdsa_secp256r1_sha256: "ECDSA_P256_SHA256",
    ecdsa_secp384r1_sha384: "ECDSA_P384_SHA384",
    ecdsa_secp521r1_sha512: undefined,
    ed25519: "ED25519",
    rsa_signature_2048_sha256: "RSA_PKCS1_SHA256",
    rsa_signature_3072_sha256: "RSA_PKCS1_SHA256",
    rsa_signature_4096_sha256: "RSA_PKCS1_SHA256",
};
const HOSTS = { "its own cryptography": undefined, "Node's cryptography": counted };

let calls = 0;

function counted(...question) {
    calls += 1;
    return signatureIsValid(...question);
}

if (vectorsAreThere(folder)) {
    for (const [provider, host] of Object.entries(HOSTS)) {
        for (const [name, scheme] of Object.entries(FILES)) {
            test(`${name}, with ${provider}`, () => {
                const { testGroups } = JSON.parse(readFileSync(new URL(`${name}_test.json`, folder), "utf8"));
                const wrong = [];
                let asked = 0;
                for (const { publicKeyDer, tests } of testGroups) {
                    for (const { tcId, comment, flags, msg, sig, result } of tests) {
                        const [key, data, signature] = [publicKeyDer, msg, sig].map((hex) => Buffer.from(hex, "hex"));
                        const accepted = signature_is_valid(scheme ?? "ECDSA_P521_SHA512", key, data, signature, host);
                        const expected = scheme !== undefined && result === "valid";
                        if (accepted !== expected) wrong.push({ tcId, comment, flags, result, accepted });
                        asked += 1;
                    }
                }
                assert.ok(asked > 100);
                assert.equal(calls > 0, host !== undefined && scheme !== undefined);
                calls = 0;
                assert.deepEqual(wrong, []);
            });
        }
    }
}
