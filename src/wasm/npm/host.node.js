// What the WebAssembly asks Node about. Not an entry of the package.
import { createPublicKey, verify as verifySignature, constants } from "node:crypto";

/** What stands before the key itself in its SubjectPublicKeyInfo (RFC 5480, RFC 8410); RSA keys are PKCS #1. */
const SPKI = {
    ECDSA_P256: Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex"),
    ECDSA_P384: Buffer.from("3076301006072a8648ce3d020106052b81040022036200", "hex"),
    ED25519: Buffer.from("302a300506032b6570032100", "hex"),
};
const KEY_LENGTH = { ECDSA_P256: 65, ECDSA_P384: 97, ED25519: 32 };
const SCHEME = /^(ECDSA_P256|ECDSA_P384|ED25519|RSA_PKCS1|RSA_PSS)(?:_(SHA256|SHA384|SHA512))?$/;

/** The keys of a trusted root come back in every verification; certificates' keys do not, so this is emptied now and then. */
const known = new Map();
const MOST_KNOWN = 64;

/** Whether a signature is valid, by Node's cryptography. An exception says that it is not. */
export function signatureIsValid(scheme, key, data, signature) {
    const [, kind, hash] = SCHEME.exec(scheme) ?? [];
    // ML-DSA: as without Node.
    if (kind === undefined) return false;
    const options = { key: publicKey(kind, key) };
    if (kind === "RSA_PSS") {
        options.padding = constants.RSA_PKCS1_PSS_PADDING;
        options.saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    }
    return verifySignature(hash?.toLowerCase() ?? null, data, options, signature);
}

function publicKey(kind, bytes) {
    const name = kind + Buffer.from(bytes).toString("latin1");
    let key = known.get(name);
    if (key === undefined) {
        key = kind.startsWith("RSA")
            ? createPublicKey({ key: Buffer.from(bytes), format: "der", type: "pkcs1" })
            : createPublicKey({ key: spki(kind, bytes), format: "der", type: "spki" });
        if (known.size >= MOST_KNOWN) known.clear();
        known.set(name, key);
    }
    return key;
}

function spki(kind, bytes) {
    // A longer key would leave bytes behind that nobody reads.
    if (bytes.length !== KEY_LENGTH[kind]) throw new Error("not a key of this kind");
    return Buffer.concat([SPKI[kind], bytes]);
}
