// Checks the notes and inclusion proofs of a suite with @sigstore/verify: node sigstore.mjs FOLDER
//
// That library verifies an entry of a log offline, from its checkpoint and its path; trees and consistency are not its matter.
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { verifyTLogInclusion } = createRequire(import.meta.url)("@sigstore/verify/dist/tlog");

const suite = JSON.parse(readFileSync(join(process.argv[2], "suite.json"), "utf8"));
const log = authority(suite.vkey);
let passed = 0;
let failed = 0;
for (const one of suite.cases) {
  const entry = entryOf(one);
  if (!entry) continue;
  let said = null;
  try {
    verifyTLogInclusion(entry, [log]);
  } catch (error) {
    said = error;
  }
  if ((said === null) === one.accept) passed++;
  else {
    failed++;
    console.log(`FAILED ${one.name}: should be accepted: ${one.accept}, but: ${said}`);
  }
}
console.log(`@sigstore/verify: ${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);

function authority(vkey) {
  const [, name, id, material] = vkey.match(/^([^+]+)\+([0-9a-f]{8})\+(.+)$/); // base64 has + too
  const key = Buffer.from(material, "base64").subarray(1);
  const prefix = Buffer.from("302a300506032b6570032100", "hex"); // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410)
  return {
    logID: Buffer.concat([Buffer.from(id, "hex"), createHash("sha256").update(key).digest().subarray(4)]),
    baseURL: name,
    publicKey: createPublicKey({ key: Buffer.concat([prefix, key]), format: "der", type: "spki" }),
    validFor: { start: new Date(0), end: new Date("2100-01-01") },
  };
}

function entryOf(one) {
  if (one.kind === "inclusion") return proven(one.note, one.index, one.proof, one.leaf);
  if (one.kind !== "proof") return null;
  const [head, ...checkpoint] = one.file.split("\n\n");
  const lines = head.split("\n").filter((line) => !line.startsWith("extra "));
  const index = Number(lines[1].replace("index ", ""));
  return proven(checkpoint.join("\n\n"), index, lines.slice(2), one.leaf);
}

function proven(note, index, hashes, leaf) {
  return {
    canonicalizedBody: Buffer.from(leaf, "base64"),
    inclusionProof: {
      logIndex: String(index),
      hashes: hashes.map((hash) => Buffer.from(hash, "base64")),
      checkpoint: { envelope: note },
    },
  };
}
