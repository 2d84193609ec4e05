/**
 * Sending one file by tus 1.0: a small one whole with its announcement, a large one in pieces that go on where
 * they stopped.
 *
 * Source: https://tus.io/protocols/resumable-upload (1.0.0).
 */

export const PIECE_BYTES = 4 * 1024 * 1024;
const VERSION = { "Tus-Resumable": "1.0.0" };
const BODY = { "Content-Type": "application/offset+octet-stream" };
const LONGEST_WAIT_MS = 20_000;

/** The server said no, in a sentence; asking again would get the same answer. */
export class Refused extends Error {}

/**
 * @param {{file: File, path: string}} found
 * @param {{files: string, csrfToken: string, signal: AbortSignal, location: string | undefined,
 *          onLocation: (location: string) => void, onBytes: (sent: number) => void, onWait: (waits: boolean) => void}} way
 */
export async function send({ file, path }, way) {
  let location = way.location;
  let offset = location ? await offsetOf(location, way) : 0;
  if (offset === null) { location = undefined; offset = 0; }
  if (!location) {
    const created = await persist(way, () => create(file, path, way));
    if (!created) return;
    ({ location, offset } = created);
    way.onLocation(location);
  }
  way.onBytes(offset);
  while (offset < file.size) {
    offset = await persist(way, () => patch(location, file, offset, way), async () => {
      offset = (await offsetOf(location, way)) ?? 0;
    });
    way.onBytes(offset);
  }
}

/** Announce the file; a small one goes along. */
async function create(file, path, way) {
  const whole = file.size <= PIECE_BYTES;
  const response = await request("POST", way.files, way, {
    ...VERSION,
    "Upload-Length": String(file.size),
    "Upload-Metadata": `filename ${base64(path)}`,
    ...(whole && file.size > 0 ? BODY : {}),
  }, whole && file.size > 0 ? file : undefined);
  return {
    location: response.headers.get("Location"),
    offset: Number(response.headers.get("Upload-Offset") ?? 0),
  };
}

async function patch(location, file, offset, way) {
  const piece = file.slice(offset, offset + PIECE_BYTES);
  const headers = { ...VERSION, ...BODY, "Upload-Offset": String(offset) };
  const response = await request("PATCH", location, way, headers, piece);
  return Number(response.headers.get("Upload-Offset"));
}

/** How much the server has of a file; null when it no longer knows it. */
async function offsetOf(location, way) {
  try {
    const response = await persist(way, () => request("HEAD", location, way, VERSION));
    return Number(response.headers.get("Upload-Offset"));
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/**
 * Try until it works, waiting longer each time; `recover` runs before another try.
 * A refusal of the server ends it, and so does the reader's Stop.
 */
async function persist(way, attempt, recover = async () => {}) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      const result = await attempt();
      way.onWait(false);
      return result;
    } catch (error) {
      if (error instanceof Refused || way.signal.aborted) throw error;
      way.onWait(true);
      await pause(wait, way.signal);
      await recover();
    }
  }
}

async function request(method, url, way, headers, body) {
  document.dispatchEvent(new Event("desk:used"));
  const response = await fetch(url, {
    method, body, signal: way.signal, headers: { ...headers, "X-CSRFToken": way.csrfToken }, redirect: "error",
  });
  if (response.ok) return response;
  // A conflict of offsets (409) is asked about and gone on from; the rest of the 4xx would stay as it is.
  if (response.status >= 500 && response.status !== 507) throw new Error("try again");
  if ([408, 409, 423, 425, 429].includes(response.status) && method === "PATCH") throw new Error("try again");
  throw new Refused(await sentenceOf(response));
}

/** @param {Response} response  @returns {Promise<string>} the sentence of a problem document */
export async function sentenceOf(response) {
  try { return (await response.json()).detail; } catch { return "The server did not take this file."; }
}

const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
