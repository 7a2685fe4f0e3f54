// Verification with the cryptography that is compiled into the WebAssembly: runs everywhere.
import { api } from "./api.js";

export const { verify, check } = api(undefined);
