// Stands in for Edge Runtime: makes "workers" that answer with what they were made of and asked, or
// end in the way that their name says. Then it starts the program that is named as its argument.

type Options = { servicePath: string; envVars: [string, string][] } & Record<string, unknown>;

const retired = new Set<string>();

class Ended extends Error {
  constructor(name: string) {
    super("words of the runtime's own");
    this.name = name;
  }
}

const ENDS: Record<string, string> = {
  "does-not-start": "InvalidWorkerCreation",
  "is-silent": "WorkerRequestIdleTimeout",
  "takes-too-much": "WorkerRequestCancelled",
  "is-always-retired": "WorkerAlreadyRetired",
  "breaks": "Error",
};

function create(options: Options) {
  const name = options.servicePath.split("/").at(-1)!;
  if (name in ENDS) return Promise.reject(new Ended(ENDS[name]));
  if (name === "is-retired-once" && !retired.has(name)) {
    retired.add(name);
    return Promise.reject(new Ended("WorkerAlreadyRetired"));
  }
  return Promise.resolve({ fetch: (request: Request) => answer(options, request) });
}

async function answer(options: Options, request: Request): Promise<Response> {
  return Response.json({
    options: { ...options, envVars: Object.fromEntries(options.envVars) },
    method: request.method,
    path: new URL(request.url).pathname,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
    tagged: tagged.has(request),
  }, { headers: { "x-from": "function" } });
}

const tagged = new WeakSet<Request>();

Object.assign(globalThis, {
  EdgeRuntime: {
    userWorkers: { create },
    applySupabaseTag: (_: Request, to: Request) => tagged.add(to),
  },
});

const serve = Deno.serve;
Object.assign(Deno, {
  serve: (handler: Deno.ServeHandler) =>
    serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: ({ port }) => console.log(`port ${port}`),
    }, handler),
});

await import(`file://${Deno.args[0]}`);
