import { readFileSync } from "node:fs";
import { initSync } from "./signgate.js";

initSync({ module: readFileSync(new URL("./signgate_bg.wasm", import.meta.url)) });
