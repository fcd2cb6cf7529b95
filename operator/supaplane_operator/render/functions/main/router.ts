// Which function does a request go to, and may it?

import type { Verify } from "./tokens.ts";

/** What settings.json beside this file says. */
export interface Settings {
  functions: Record<string, { verifyJwt: boolean; importMap: string | null }>;
}

/** A program of its own for each function, as Edge Runtime makes them. */
export interface Workers {
  create(options: WorkerOptions): Promise<{ fetch(request: Request): Promise<Response> }>;
}

export interface WorkerOptions {
  servicePath: string;
  memoryLimitMb: number;
  workerTimeoutMs: number;
  noModuleCache: boolean;
  importMapPath: string | null;
  envVars: [string, string][];
  forceCreate: boolean;
}

export interface Surroundings {
  settings: Settings;
  /** Folder of the functions' folders, with a slash at its end. */
  folder: string;
  /** What functions find in their environment. */
  variables: Record<string, string>;
  workers: Workers;
  verify: Verify;
  /** Seconds since 1970. */
  now: () => number;
  /** Tells Edge Runtime that one request goes on as another. */
  goesOnAs: (request: Request, other: Request) => void;
}

const HEALTH = "/_internal/health";
const MEMORY_MB = 150;
const LIFE_MS = 400_000;
const ATTEMPTS = 3;

// How a worker ends that cannot answer, by the name of its error: status, code and message as on the
// Supabase platform, on which clients rely.
const ENDS: Record<string, [number, string, string]> = {
  InvalidWorkerCreation: [503, "BOOT_ERROR", "Function failed to start (please check logs)"],
  WorkerRequestIdleTimeout: [504, "IDLE_TIMEOUT", "Function did not answer in time"],
  WorkerRequestCancelled: [546, "WORKER_LIMIT", "Function used up its memory or its time"],
};

/** What answers requests. */
export function router(around: Surroundings): (request: Request) => Promise<Response> {
  return async (request) => {
    const path = new URL(request.url).pathname;
    if (path === HEALTH) return Response.json({ message: "ok" });
    const name = path.split("/")[1];
    if (!Object.hasOwn(around.settings.functions, name)) {
      return refusal(404, "NOT_FOUND", "Requested function was not found");
    }
    const { verifyJwt, importMap } = around.settings.functions[name];
    // browsers send no token with the question whether they may send one
    if (verifyJwt && request.method !== "OPTIONS") {
      const problem = await problemWith(request.headers, around);
      if (problem) return refusal(401, "UNAUTHORIZED", problem);
    }
    return call(name, importMap, withoutOurs(request, around), around);
  };
}

/** Why the caller may not call; nothing when it may. */
async function problemWith(headers: Headers, { verify, now }: Surroundings): Promise<string | null> {
  const shown = headers.get("authorization") ?? "";
  const bearer = /^bearer(\s.*)?$/i.test(shown) ? shown.slice("bearer".length).trim() : undefined;
  if (shown !== "" && bearer === undefined) return "Auth header is not 'Bearer {token}'";
  // of a key of the new kind the gateway says which token it stands for
  const token = bearer && !bearer.startsWith("sb_") ? bearer : headers.get("sb-api-key");
  if (!token) return "Missing authorization header";
  return (await verify(token, now())) ? null : "Invalid JWT";
}

/** The request as functions see it: what the gateway says to us is not for them. */
function withoutOurs(request: Request, { goesOnAs }: Surroundings): Request {
  if (!request.headers.has("sb-api-key")) return request;
  const headers = new Headers(request.headers);
  headers.delete("sb-api-key");
  const other = new Request(request, { headers });
  goesOnAs(request, other);
  return other;
}

async function call(
  name: string,
  importMap: string | null,
  request: Request,
  { workers, folder, variables }: Surroundings,
): Promise<Response> {
  const servicePath = `${folder}${name}`;
  for (let attempt = 1;; attempt++) {
    try {
      const worker = await workers.create({
        servicePath,
        memoryLimitMb: MEMORY_MB,
        workerTimeoutMs: LIFE_MS,
        noModuleCache: false,
        importMapPath: importMap && `${servicePath}/${importMap}`,
        envVars: Object.entries(variables),
        forceCreate: false,
      });
      return await worker.fetch(request);
    } catch (error) {
      const kind = error instanceof Error ? error.name : "";
      // its time was over before the request reached it: another one takes the request
      if (kind === "WorkerAlreadyRetired" && attempt < ATTEMPTS) continue;
      console.error(`function ${name}:`, error);
      return refusal(...(ENDS[kind] ?? [500, "WORKER_ERROR", "Function failed (please check logs)"]));
    }
  }
}

function refusal(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status });
}
