// A receiver outside the hub, which promises nothing about repeats: `node receiver.mjs FOLDER`, with its certificate and key in the folder.
// What it takes is noted there. While the folder has a file `loses-answers`, whoever sends does not hear that it was taken.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

const folder = process.argv[2];
const read = (name) => readFileSync(join(folder, name));
let taken = 0;

const server = createServer({ cert: read('cert.pem'), key: read('key.pem') }, async (request, response) => {
  const digest = createHash('sha256');
  for await (const part of request) digest.update(part);
  taken += 1;
  const note = { key: request.headers['idempotency-key'], named: request.headers['content-disposition'], sha256: digest.digest('hex') };
  writeFileSync(join(folder, `taken-${String(taken).padStart(3, '0')}.json`), JSON.stringify(note));
  if (existsSync(join(folder, 'loses-answers'))) request.socket.destroy();
  else response.writeHead(201).end();
});
server.listen(0, '127.0.0.1', () => console.log(`listens on https://127.0.0.1:${server.address().port}`));
