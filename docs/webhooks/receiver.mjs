// Takes GenreWiz' webhooks and acts on each event once. Node 18 or newer, nothing else.
//
//     GENREWIZ_WEBHOOK_SECRET=whsec_… PORT=8902 node receiver.mjs
//
// It speaks plain HTTP: put it behind your web server, which does TLS.

import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const TOLERANCE_SECONDS = 300; // how far a sender's clock may be from ours
const MAX_BODY_BYTES = 65_536; // no event is larger than 20 KB
const ENDS = ["job.succeeded", "job.failed", "job.cancelled", "job.expired"];
const SECRETS = (process.env.GENREWIZ_WEBHOOK_SECRET ?? "").split(/\s+/).filter(Boolean);
const FOLDER = process.env.GENREWIZ_WEBHOOK_FOLDER ?? "webhooks";
const SEEN = join(FOLDER, "seen"); // a file for each webhook-id

class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

function verify(headers, body, secrets) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const given = (headers["webhook-signature"] ?? "").split(" ").filter(Boolean);
  if (!id || !/^[0-9]{1,12}$/.test(timestamp) || given.length === 0)
    throw new Refused(400, "this is no signed webhook");
  const fits = secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
    const right = Buffer.from(`v1,${digest}`);
    // While a secret is being changed there are two signatures; one of them must fit.
    const same = (each) => each.length === right.length && timingSafeEqual(each, right);
    return given.map((each) => Buffer.from(each)).some(same);
  });
  if (!fits) throw new Refused(401, "no signature fits");
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new Refused(401, "it is too old, or our clock is wrong");
}

function take(headers, body) {
  verify(headers, body, SECRETS);
  const id = headers["webhook-id"];
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) // it becomes a file's name
    throw new Refused(400, "the webhook-id is none of GenreWiz'");
  let event = null;
  try {
    event = JSON.parse(body.toString("utf8"));
  } catch {}
  check(event);
  // Nothing here awaits, so no other delivery comes in between. With an act that awaits, keep the ids in work in a Set.
  if (existsSync(join(SEEN, id))) return;
  act(event);
  writeFileSync(join(SEEN, id), ""); // only now: if we die before, the event comes again, and nothing is lost
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function check(event) {
  if (!isObject(event) || typeof event.type !== "string") throw new Refused(400, "the body is no event");
  if (!isObject(event.data)) throw new Refused(400, "the event has no data");
  const isJob = typeof event.data.id === "string" && typeof event.data.status === "string";
  if (event.type.startsWith("job.") && !isJob) throw new Refused(400, "the event is about no job");
}

// What this receiver does: a line in genres.csv. Put something as quick in its place.
function act(event) {
  if (!ENDS.includes(event.type)) return; // webhook.test, or how far a job is
  const job = event.data;
  const genre = job.result?.genre ?? ""; // none: it was not sure enough, or failed
  appendFileSync(join(FOLDER, "genres.csv"), `${job.id},${job.status},${genre}\r\n`);
}

async function read(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refused(413, "no event is that large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks); // the bytes as they came
}

// With an empty secret, everybody could sign.
const isSecret = (text) => Buffer.from(text.replace(/^whsec_/, ""), "base64").length >= 24;
if (SECRETS.length === 0 || !SECRETS.every(isSecret)) {
  console.error("Set GENREWIZ_WEBHOOK_SECRET to the endpoint's secret, whsec_…");
  process.exit(1);
}
mkdirSync(SEEN, { recursive: true });
const server = createServer(async (request, response) => {
  try {
    if (request.method !== "POST") throw new Refused(405, "webhooks are POSTed");
    take(request.headers, await read(request));
    response.writeHead(204).end();
  } catch (error) {
    console.error(`${error.status ?? 500}: ${error.message}`); // whatever it was: GenreWiz shall come again
    response.writeHead(error.status ?? 500, { Connection: "close" }).end(error.message);
  }
});
server.requestTimeout = 10_000; // milliseconds that a sender may stall
server.listen(Number(process.env.PORT ?? 8902), process.env.HOST ?? "127.0.0.1", () =>
  console.log(`Listening at http://${server.address().address}:${server.address().port}/`),
);
