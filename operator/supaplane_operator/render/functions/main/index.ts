// Starts what leads calls to functions. Edge Runtime runs this, and a worker for each function.

import { router, type Workers } from "./router.ts";
import { publicOnly, verifier } from "./tokens.ts";

declare const EdgeRuntime: {
  userWorkers: Workers;
  applySupabaseTag?: (from: Request, to: Request) => void;
};

const { SUPAPLANE_JWKS, ...variables } = Deno.env.toObject();
const jwks = JSON.parse(SUPAPLANE_JWKS);

Deno.serve(
  router({
    settings: JSON.parse(await Deno.readTextFile(new URL("./settings.json", import.meta.url))),
    folder: new URL("..", import.meta.url).pathname,
    // whoever has the secret half can sign: functions get what verifies the tokens of sessions
    variables: { ...variables, SUPABASE_JWKS: JSON.stringify(publicOnly(jwks)) },
    workers: EdgeRuntime.userWorkers,
    verify: await verifier(jwks),
    now: () => Date.now() / 1000,
    goesOnAs: (request, other) => EdgeRuntime.applySupabaseTag?.(request, other),
  }),
);
