// Asking the edge: one function, one kind of error.

export class ApiError extends Error {
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Returns {body, consistency}: the answer's JSON (null when empty) and its consistency token.
 * Throws ApiError; status 0 means that the edge could not be reached.
 */
export async function ask(method, path, { query, json, form, token, consistency } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (consistency) headers["Tally-Consistency"] = consistency;
  if (json) headers["Content-Type"] = "application/json";
  if (method !== "GET" && !form) headers["Idempotency-Key"] = randomId();
  const address = query ? `${path}?${new URLSearchParams(query)}` : path;
  const body = json ? JSON.stringify(json) : form && new URLSearchParams(form);
  let response;
  try {
    response = await fetch(address, { method, headers, body });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  const text = await response.text();
  const parsed = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
  if (!response.ok) throw new ApiError(response.status, parsed?.message ?? response.statusText, parsed?.code);
  return { body: parsed, consistency: response.headers.get("Tally-Consistency") };
}

/** 128 random bits in hex; crypto.randomUUID exists on secure origins only. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
