// graphile-worker: enqueues a batch of jobs, so many at a time, and runs them, so many at a time. Prints one line of JSON.
//
//     node main.mjs ADDRESS JOBS AT-ONCE
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const [address, count, atOnce] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const logger = new Logger(() => (level, message) => (level === "error" ? console.error(message) : undefined));
const utils = await makeWorkerUtils({ connectionString: address, maxPoolSize: 16, logger });
await utils.migrate();

const began = performance.now();
let next = 0;
const enqueue = async () => {
  while (next < count) {
    const number = next++;
    await utils.addJob("nothing", { number });
  }
};
await Promise.all(Array.from({ length: atOnce }, enqueue));
const enqueued = performance.now();

let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const worker = await run({
  connectionString: address,
  concurrency: atOnce,
  maxPoolSize: 16,
  pollInterval: 1000,
  noHandleSignals: true,
  logger,
  taskList: { nothing: async () => {} },
});
// Done is what is written down as done.
worker.events.on("job:complete", () => ++done === count && finish());
await finished;
const ended = performance.now();
await worker.stop();
await utils.release();
console.log(JSON.stringify({ jobs: count, enqueue_ms: enqueued - began, work_ms: ended - enqueued, per_second: count / ((ended - began) / 1000) }));
process.exit(0);
