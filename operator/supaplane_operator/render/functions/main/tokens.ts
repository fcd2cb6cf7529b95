// Is a token signed with one of the project's keys, and is it in its time?

type Jwk = JsonWebKey & { kid?: string };
type Header = { alg?: unknown; kid?: unknown; crit?: unknown };
type Claims = { exp?: unknown; nbf?: unknown };
type Loaded = { alg: string; kid?: string; key: CryptoKey };

export type Verify = (token: string, seconds: number) => Promise<boolean>;

// The kind of key decides what it verifies, never the token: a public key must not become a secret.
const KINDS: Record<string, { alg: string; load: (jwk: Jwk) => Promise<CryptoKey> }> = {
  oct: {
    alg: "HS256",
    load: ({ kty, k }) =>
      crypto.subtle.importKey("jwk", { kty, k }, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]),
  },
  EC: {
    alg: "ES256",
    load: ({ kty, crv, x, y }) =>
      crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDSA", namedCurve: "P-256" }, false, [
        "verify",
      ]),
  },
};
const PARAMETERS: Record<string, AlgorithmIdentifier | EcdsaParams> = {
  HS256: "HMAC",
  ES256: { name: "ECDSA", hash: "SHA-256" },
};

/** A check of tokens against a set of JSON Web Keys; keys of other kinds are left out. */
export async function verifier(jwks: { keys: Jwk[] }): Promise<Verify> {
  const known = jwks.keys.filter((jwk) => jwk.kty !== undefined && Object.hasOwn(KINDS, jwk.kty));
  const keys = await Promise.all(known.map(load));
  return async (token, seconds) => {
    const [header, claims, signature, ...more] = token.split(".");
    if (signature === undefined || more.length > 0) return false;
    try {
      const said = decoded<Header>(header);
      if (said.crit !== undefined || !inTime(decoded<Claims>(claims), seconds)) return false;
      const signed = new TextEncoder().encode(`${header}.${claims}`);
      return await anyOf(fitting(keys, said), bytes(signature), signed);
    } catch {
      return false; // no JSON, no base64: no token
    }
  };
}

/** The keys that everybody may see. */
export function publicOnly(jwks: { keys: Jwk[] }): { keys: Jwk[] } {
  return { keys: jwks.keys.filter((jwk) => jwk.kty !== "oct") };
}

async function load(jwk: Jwk): Promise<Loaded> {
  const kind = KINDS[jwk.kty!];
  return { alg: kind.alg, kid: jwk.kid, key: await kind.load(jwk) };
}

function fitting(keys: Loaded[], { alg, kid }: Header): Loaded[] {
  const named = (key: Loaded) => kid === undefined || key.kid === undefined || key.kid === kid;
  return keys.filter((key) => key.alg === alg && named(key));
}

async function anyOf(
  keys: Loaded[],
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const { alg, key } of keys) {
    if (await crypto.subtle.verify(PARAMETERS[alg], key, signature, signed)) return true;
  }
  return false;
}

function inTime({ exp, nbf }: Claims, seconds: number): boolean {
  const begun = nbf === undefined || (typeof nbf === "number" && nbf <= seconds);
  const lasting = exp === undefined || (typeof exp === "number" && exp > seconds);
  return begun && lasting;
}

function decoded<T>(part: string): T {
  const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes(part)));
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  return value;
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(base64url)) throw new TypeError("not base64url");
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
