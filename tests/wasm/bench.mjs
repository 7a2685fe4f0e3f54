// Verifications per second of the npm package, for scripts/bench. Prints rows of a Markdown table.
import { cases, providers } from "./vectors.mjs";

const KINDS = process.argv.slice(2);
const MILLISECONDS = 1500;

for (const [provider, { verify }] of Object.entries(providers)) {
    for (const kind of KINDS) {
        const call = cases().find(({ name }) => name === kind).arguments;
        const times = [];
        const end = performance.now() + MILLISECONDS;
        for (let run = 0; performance.now() < end; run += 1) {
            const begin = performance.now();
            if (verify(...call).verdict !== "allowed") throw new Error(kind);
            // The first ones are compiled on the way.
            if (run >= 5) times.push(performance.now() - begin);
        }
        times.sort((a, b) => a - b);
        const middle = times[times.length >> 1];
        const row = [kind, `WebAssembly, ${provider}`, `${middle.toFixed(2)} ms`, `${times[0].toFixed(2)} ms`, Math.round(1000 / middle)];
        console.log(`| ${row.join(" | ")} |`);
    }
}
