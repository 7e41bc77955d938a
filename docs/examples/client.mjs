// Download an address through idm and fetch the file: node client.mjs https://example.org/film.mkv
// Needs Node.js 22 or newer. IDM_URL names the server, IDM_TOKEN holds its token where it wants one.

import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";

const server = process.env.IDM_URL ?? "http://127.0.0.1:8000";
const token = process.env.IDM_TOKEN;
const authorization = token ? { Authorization: `Bearer ${token}` } : {};

async function main(url) {
  const answer = await fetch(`${server}/api/downloads`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...authorization },
    body: JSON.stringify({ url }),
  });
  const added = await answer.json();
  if (!answer.ok) throw new Error(added.message);
  const download = await follow(added.id);
  if (download.status === "failed") throw new Error(download.error.message);
  const file = await fetch(server + download.file_url, { headers: authorization });
  await finished(Readable.fromWeb(file.body).pipe(createWriteStream(download.filename)));
  console.log("Saved", download.filename);
}

/** Reads the feed until the download has ended. A snapshot comes first, then what changes. */
function follow(id) {
  return new Promise((resolve, reject) => {
    const download = {};
    const feed = new WebSocket(server.replace("http", "ws") + "/ws", token ? ["idm.v1", `bearer.${token}`] : []);
    feed.onclose = () => reject(new Error("The server has stopped."));
    feed.onmessage = ({ data }) => {
      for (const changed of JSON.parse(data).downloads ?? []) {
        if (changed.id !== id) continue;
        Object.assign(download, changed);
        console.log(download.status, download.progress);
        if (["completed", "failed"].includes(download.status)) {
          resolve(download);
          feed.close();
        }
      }
    };
  });
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
