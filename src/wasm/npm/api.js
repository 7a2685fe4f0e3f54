// The two functions of this package, over whichever cryptography. Nothing here throws: what goes wrong is a report.
import * as wasm from "./signgate.js";
import "#load";

/** The functions with signatures checked by `host`, or by the WebAssembly itself if that is undefined. */
export function api(host) {
    function verify(bundle, artifactDigest, trustedRoot, policy, time) {
        return reported(() => {
            const options = optionsText({ trustedRoot, time });
            return wasm.verify(...texts(bundle, artifactDigest), policyText(policy), options, host);
        });
    }

    function check(bundle, artifactDigest, options = {}) {
        let evidence;
        const failure = attempt(() => {
            evidence = wasm.check(...texts(bundle, artifactDigest), optionsText(plain("options", options)), host);
        });
        return {
            evaluate: (policy) => failure ?? reported(() => evidence.evaluate(policyText(policy))),
        };
    }

    return { verify, check };
}

/** The report that `run` returns as JSON, or the one on its failure. */
function reported(run) {
    let report;
    return attempt(() => { report = JSON.parse(run()); }) ?? report;
}

/** Nothing if `run` succeeds. */
function attempt(run) {
    try {
        run();
        return undefined;
    } catch (error) {
        if (error instanceof Misuse) {
            return problem("usage-invalid", 2, error.message, "correct this argument of the call");
        }
        // A trap leaves the memory of the WebAssembly as it was in the middle of something: begin again with a new one.
        wasm.__wbg_reset_state();
        return problem("internal-error", 1, String(error), "report this with the arguments of the call; it is a bug in signgate");
    }
}

function problem(code, exitCode, what, fix) {
    return { version: 1, verdict: "error", exitCode, code, what, fix };
}

class Misuse extends Error {}

function texts(bundle, digest) {
    return [text("bundle", bundle), text("artifactDigest", digest)];
}

function optionsText({ trustedRoot, time, ...rest }) {
    if (trustedRoot !== undefined) text("trustedRoot", trustedRoot);
    if (time !== undefined && !(time instanceof Date)) text("time", time);
    const limit = time instanceof Date ? timeText(time) : time;
    return json("options", { ...rest, trustedRoot, time: limit });
}

function text(name, value) {
    if (typeof value !== "string") throw new Misuse(`${name} must be a string, not ${kind(value)}`);
    // An empty text must not stand for an absent argument.
    if (value === "") throw new Misuse(`${name} must not be empty`);
    return value;
}

function timeText(date) {
    if (Number.isNaN(date.getTime())) throw new Misuse("time is not a date");
    return date.toISOString();
}

function policyText(policy) {
    return json("policy", plain("policy", policy));
}

function plain(name, value) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
        throw new Misuse(`${name} must be an object, not ${kind(value)}`);
    }
    return value;
}

function json(name, value) {
    try {
        return JSON.stringify(value);
    } catch (error) {
        throw new Misuse(`${name} must be plain data: ${error.message}`);
    }
}

function kind(value) {
    return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}
