/**
 * Verifies `bundle` for the artifact with this digest and decides by `policy`. Never throws, and asks nobody: no
 * network, no files.
 *
 * @param bundle         a Sigstore bundle, as JSON
 * @param artifactDigest `sha256:` and 64 hexadecimal digits
 * @param trustedRoot    a `trusted_root.json`; the public instance's, as of this version, if undefined
 * @param policy         whom to accept
 * @param time           what was signed later than this is refused; as a text in RFC 3339
 */
export function verify(
    bundle: string,
    artifactDigest: string,
    trustedRoot: string | undefined,
    policy: Policy,
    time?: string | Date,
): Report;

/** The cryptography of {@link verify} alone, for a policy that is known later or for several of them. Never throws. */
export function check(bundle: string, artifactDigest: string, options?: CheckOptions): Evidence;

export interface CheckOptions {
    /** A `trusted_root.json`; the public instance's, as of this version, if undefined. */
    trustedRoot?: string;
    /** A public key in PEM to believe, instead of the certificate authorities. */
    key?: string;
    /** What has the digest. An `image` unless it says otherwise. */
    artifact?: "image" | "file";
    /** What was signed later than this is refused; as a text in RFC 3339. */
    time?: string | Date;
}

/** A bundle whose cryptography has been checked. What was established stays inside: only a policy can be put to it. */
export interface Evidence {
    /** Decides by `policy`. Never throws. */
    evaluate(policy: Policy): Report;
}

/** Whom to accept: everything that is given must hold. */
export type Policy = Signer & {
    /**
     * What has the digest. An `image`, unless it says otherwise, wants an image signature: an attestation about an
     * image does not say that it may be used. A `file` wants a signature over it, or any statement about it.
     */
    artifact?: "image" | "file";
    /** Only a statement with this predicate type. */
    predicateType?: string;
};

/** An identity, exactly or by pattern, or a key. */
export type Signer = ExactIdentity | IdentityPattern | Key;

export interface ExactIdentity extends Job {
    /** The subject alternative name, exactly: for a CI job its workflow and ref. */
    identity: string;
    identityRegexp?: undefined;
    key?: undefined;
}

export interface IdentityPattern extends Job {
    /** A pattern (RE2) for the whole subject alternative name, that starts with a fixed scheme and host. */
    identityRegexp: string;
    identity?: undefined;
    key?: undefined;
}

export interface Key {
    /** The public key, in PEM: ECDSA on P-256 or P-384, Ed25519 or RSA. */
    key: string;
    identity?: undefined;
    identityRegexp?: undefined;
    issuer?: undefined;
    claims?: undefined;
}

export interface Job {
    /** The OIDC issuer that vouches for the identity, exactly. */
    issuer: string;
    /** What the certificate must say about the CI job, exactly, by the names of `signgate verify --require`. */
    claims?: Record<string, string>;
}

/** What came of a call. Fields may be added as long as `version` is the same. */
export type Report = Allowed | Refused;

export interface Allowed {
    readonly version: 1;
    readonly verdict: "allowed";
    readonly exitCode: 0;
    /** What was verified. */
    readonly digest: string;
    readonly signer: SignedBy;
    /** The predicate type of the signed statement; absent if the file itself was signed. */
    readonly predicateType?: string;
    /** The trusted time of signing, in RFC 3339; absent only where a key signed and nobody knows when. */
    readonly signedAt?: string;
    /** How the transparency log vouches for it: `inclusion`, or only a `promise`, as in the oldest bundles. */
    readonly logProof?: "inclusion" | "promise";
    /** Its place in the transparency log. */
    readonly logIndex?: number;
    readonly code?: undefined;
}

export interface Refused {
    readonly version: 1;
    /** `denied`: the signature is not what was asked for. `error`: the call was wrong, nothing was decided. */
    readonly verdict: "denied" | "error";
    /** The exit code that the command line would end with. */
    readonly exitCode: number;
    readonly digest?: string;
    /** Who signed, if the cryptography holds and the policy does not accept them. */
    readonly signer?: SignedBy;
    /** Every objection of the policy. */
    readonly findings?: readonly Finding[];
    /** One of the codes in signgate's README. Codes are never renamed or reused. */
    readonly code: string;
    readonly what: string;
    /** The causes, outermost first. */
    readonly why?: readonly string[];
    /** What to do about it. */
    readonly fix: string;
}

/** Who signed. What the certificate does not say is absent. */
export interface SignedBy {
    readonly identity?: string;
    readonly issuer?: string;
    readonly claims?: Readonly<Record<string, string>>;
    /** Digest of the public key, where a key signed. */
    readonly key?: string;
}

/** An objection. */
export interface Finding {
    readonly code: string;
    readonly what: string;
    readonly why?: readonly string[];
    readonly expected?: string;
    readonly found?: string;
}
