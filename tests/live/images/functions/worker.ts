// The inside of a function's worker: its own environment, and a Deno.serve that takes its handler.

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage: (message: unknown) => void;
};

let handler: ((request: Request) => Response | Promise<Response>) | undefined;

scope.onmessage = async ({ data: { path, variables } }) => {
  const own = new Map<string, string>(variables);
  Object.assign(Deno, {
    serve: (...args: unknown[]) => {
      handler = args.find((arg) => typeof arg === "function") as typeof handler;
    },
    env: { get: (name: string) => own.get(name), toObject: () => Object.fromEntries(own) },
  });
  try {
    const module = await import(`file://${path}/index.ts`);
    handler ??= module.default?.fetch;
    if (!handler) throw new Error(`${path} serves nothing`);
  } catch (error) {
    scope.postMessage({ error: String(error) });
    return;
  }
  scope.onmessage = ({ data }) => answer(data);
  scope.postMessage({ started: true });
};

interface Asked {
  id: number;
  method: string;
  url: string;
  headers: [string, string][];
  body: ArrayBuffer;
}

async function answer({ id, method, url, headers, body }: Asked) {
  const given = body.byteLength ? body : undefined;
  let response: Response;
  try {
    response = await handler!(new Request(url, { method, headers, body: given }));
  } catch (error) {
    console.error(error);
    response = new Response("Internal Server Error", { status: 500 });
  }
  scope.postMessage({
    id,
    status: response.status,
    headers: [...response.headers],
    body: await response.arrayBuffer(),
  });
}
