// Verification with the cryptography of Node, several times as fast.
import { api } from "./api.js";
import { signatureIsValid } from "./host.node.js";

export const { verify, check } = api(signatureIsValid);
