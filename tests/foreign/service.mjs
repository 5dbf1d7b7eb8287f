// Uses the running service as others' programs do: node service.mjs ADDRESS KEY
//
// openid-client and oauth4webapi for tokens by private_key_jwt, jose for tokens and receipts against the published keys.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, importPKCS8, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const [address, file] = process.argv.slice(2);
const audience = `${address}/api/v1`;
const key = await importPKCS8(readFileSync(file, "utf8"), "ES256");
const keys = createRemoteJWKSet(new URL(`${address}/.well-known/jwks.json`));
const plain = { [oauth.allowInsecureRequests]: true }; // loopback, without TLS
let passed = 0;
let failed = 0;

const server = await oauth.processDiscoveryResponse(
  new URL(address),
  await oauth.discoveryRequest(new URL(address), { algorithm: "oauth2", ...plain }),
);
const client = { client_id: "foreign" };
const config = await openid.discovery(new URL(address), "foreign", undefined, openid.PrivateKeyJwt(key), {
  algorithm: "oauth2",
  execute: [openid.allowInsecureRequests],
});
const token = (await openid.clientCredentialsGrant(config, { scope: "verify" })).access_token;
const { receipt } = await (await ask(token)).json();

await check("oauth4webapi gets a token", async () => {
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(key), { scope: "verify" }, plain);
  const given = await oauth.processClientCredentialsResponse(server, client, answer);
  assert.equal(given.token_type, "bearer");
  const request = new Request(audience, { headers: { authorization: `Bearer ${given.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, audience, plain);
  assert.equal(claims.scope, "verify");
});
await check("oauth4webapi refuses a token for another interface", () =>
  assert.rejects(
    oauth.validateJwtAccessToken(server, new Request(audience, { headers: { authorization: `Bearer ${token}` } }), address, plain),
  ));
await check("the service refuses a stranger's assertion", async () => {
  const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(privateKey), {}, plain);
  assert.equal((await answer.clone().json()).error, "invalid_client");
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, answer));
});
await check("jose accepts a token", () => jwtVerify(token, keys, { issuer: address, audience, typ: "at+jwt", algorithms: ["ES256"] }));
await check("jose refuses an altered token", () => assert.rejects(jwtVerify(altered(token), keys)));
await check("jose accepts a receipt", async () => {
  const { payload } = await jwtVerify(receipt, keys, { issuer: address, typ: "receipt+jwt", algorithms: ["ES256"] });
  assert.equal(payload.answer, "unknown");
});
await check("jose refuses an altered receipt", () => assert.rejects(jwtVerify(altered(receipt), keys)));
await check("jose refuses a receipt as a token", () => assert.rejects(jwtVerify(receipt, keys, { typ: "at+jwt" })));
await check("the service refuses a receipt as a token", async () => assert.equal((await ask(receipt)).status, 401));
await check("openid-client sees a token end", async () => {
  assert.equal((await openid.tokenIntrospection(config, token)).active, true);
  await openid.tokenRevocation(config, token);
  assert.equal((await openid.tokenIntrospection(config, token)).active, false);
  assert.equal((await ask(token)).status, 401);
});

console.log(`jose, openid-client, oauth4webapi: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}

function ask(bearer) {
  return fetch(`${audience}/verify`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: JSON.stringify({ practising_code: "199990000999999", name: "无此人" }),
  });
}

/** The same signature under another payload. */
function altered(jws) {
  const [head, body, signature] = jws.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const other = Buffer.from(JSON.stringify({ ...claims, iat: claims.iat + 1 })).toString("base64url");
  return `${head}.${other}.${signature}`;
}
