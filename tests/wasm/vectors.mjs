// Where the public vectors are and how a case of them is run, for the tests and the benchmark of the npm package.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";

const home = new URL("../../", import.meta.url);
const folder = process.env.SIGNGATE_VECTORS
    ? new URL(`file://${process.env.SIGNGATE_VECTORS}/`)
    : new URL("../shared/vectors/bundle-verify/", home);

/** The package, with its own cryptography and with Node's. */
export const providers = {
    "its own cryptography": await import(new URL("target/npm/index.js", home)),
    "Node's cryptography": await import(new URL("target/npm/node.js", home)),
};

/** Whether there are vectors. That there are none is a failure where CI=true, and said aloud elsewhere. */
export function vectorsAreThere(at = folder) {
    if (existsSync(at)) return true;
    if (process.env.CI === "true") throw new Error(`${at.pathname} is not there`);
    console.error(`SKIPPED: ${at.pathname} is not there`);
    return false;
}

/** Every case: the arguments of `verify` (the README beside the vectors says how a case is run). */
export function cases() {
    return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort()
        .map((name) => ({ name, arguments: arguments_(name) }));
}

function arguments_(name) {
    const file = (path) => new URL(`${name}/${path}`, folder);
    const said = (path) => existsSync(file(path)) ? readFileSync(file(path), "utf8") : undefined;
    const artifact = readFileSync(existsSync(file("artifact")) ? file("artifact") : new URL("a.txt", folder));
    const key = said("key.pub");
    const policy = key === undefined
        ? { identity: said("identity")?.trim() ?? IDENTITY, issuer: said("issuer")?.trim() ?? ISSUER }
        : { key };
    return [
        said("bundle.sigstore.json"),
        `sha256:${createHash("sha256").update(artifact).digest("hex")}`,
        said("trusted_root.json"),
        { ...policy, artifact: "file" },
    ];
}

const IDENTITY = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER = "https://token.actions.githubusercontent.com";
