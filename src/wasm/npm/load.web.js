import init from "./signgate.js";

await init();
