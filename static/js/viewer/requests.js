/** The one door to the server: every request of the viewer goes through here and nowhere else. */

/** Access is over: signed out, expired, revoked or never allowed. */
export class AccessEnded extends Error {}

/** The server answered, but not with what was asked for. */
export class Refused extends Error {
  /** @param {number} status @param {number} retryAfterMs */
  constructor(status, retryAfterMs) {
    super(`The server answered ${status}.`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const ENDED = new Set([401, 403, 404, 410]);

export class Requests {
  #onEnded;
  #onConnection;

  /**
   * @param {() => void} onEnded Access has ended.
   * @param {(isThere: boolean) => void} onConnection The network has gone or is back.
   */
  constructor(onEnded, onConnection) {
    this.#onEnded = onEnded;
    this.#onConnection = onConnection;
  }

  /**
   * @param {string} url
   * @param {AbortSignal} [signal]
   * @returns {Promise<Response>} Status 200 to 299.
   * @throws {AccessEnded|Refused|TypeError} TypeError when there is no network.
   */
  async get(url, signal) {
    const response = await this.#fetch(url, signal);
    this.#onConnection(true);
    // A redirect can only lead to a sign-in page: the session is over.
    if (ENDED.has(response.status) || response.type === "opaqueredirect") {
      this.#onEnded();
      throw new AccessEnded("Access to these images has ended.");
    }
    if (!response.ok) throw new Refused(response.status, 1000 * Number(response.headers.get("Retry-After") || 0));
    return response;
  }

  async #fetch(url, signal) {
    try {
      return await fetch(url, { signal, credentials: "same-origin", redirect: "manual", cache: "no-store" });
    } catch (error) {
      if (!signal?.aborted) this.#onConnection(false);
      throw error;
    }
  }
}
