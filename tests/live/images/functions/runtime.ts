// Stands in for Edge Runtime: Deno with a program that leads requests, and a worker for each function.
//
// Takes the arguments that Edge Runtime takes, `start --main-service FOLDER …`, and refuses others. What the
// main service finds in `EdgeRuntime` is as it is there; a worker is a thread of the same process instead of
// an isolate with limits of its own, so limits of memory and time are not kept.

const PORT = 9000;
const KNOWN = new Set(["--main-service", "--user-worker-request-idle-timeout"]);

interface WorkerOptions {
  servicePath: string;
  importMapPath: string | null;
  envVars: [string, string][];
  memoryLimitMb: number;
  workerTimeoutMs: number;
}

interface Answer {
  id: number;
  status: number;
  headers: [string, string][];
  body: ArrayBuffer;
}

function refuse(words: string): never {
  console.error(`standin for edge-runtime: ${words}`);
  Deno.exit(1);
}

function parsed(args: string[]): Map<string, string> {
  if (args[0] !== "start") refuse(`there is no command ${args[0]}`);
  const options = new Map<string, string>();
  for (let i = 1; i < args.length; i += 2) {
    if (!KNOWN.has(args[i])) refuse(`there is no option ${args[i]}`);
    if (args[i + 1] === undefined) refuse(`${args[i]} wants a value`);
    options.set(args[i], args[i + 1]);
  }
  if (!options.has("--main-service")) refuse("--main-service is required");
  return options;
}

class InvalidWorkerCreation extends Error {
  override name = "InvalidWorkerCreation";
}

/** A function's worker: asked one after the other, answers in any order. */
class UserWorker {
  #worker: Worker;
  #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      this.#waiting.get(data.id)?.(data);
      this.#waiting.delete(data.id);
    };
  }

  static start(options: WorkerOptions): Promise<UserWorker> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new InvalidWorkerCreation(event.message));
      };
      worker.onmessage = ({ data }) => {
        if (data.started) resolve(new UserWorker(worker));
        else reject(new InvalidWorkerCreation(data.error));
      };
      worker.postMessage({ path: options.servicePath, variables: options.envVars });
    });
  }

  async fetch(request: Request): Promise<Response> {
    const id = this.#next++;
    const body = await request.arrayBuffer();
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const { method, url } = request;
    this.#worker.postMessage({ id, method, url, headers: [...request.headers], body });
    const { status, headers, body: given } = await answer;
    return new Response(given.byteLength ? given : null, { status, headers });
  }
}

const workers = new Map<string, Promise<UserWorker>>();

function create(options: WorkerOptions): Promise<UserWorker> {
  const path = options.servicePath;
  const worker = workers.get(path) ?? UserWorker.start(options);
  workers.set(path, worker);
  worker.catch(() => workers.delete(path));
  return worker;
}

const options = parsed(Deno.args);
Object.assign(globalThis, { EdgeRuntime: { userWorkers: { create }, applySupabaseTag: () => {} } });
const serve = Deno.serve;
Object.assign(Deno, {
  serve: (handler: Deno.ServeHandler) => serve({ hostname: "0.0.0.0", port: PORT }, handler),
});
await import(`file://${options.get("--main-service")}/index.ts`);
