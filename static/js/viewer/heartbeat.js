/** Asks every few seconds whether access still lives. What the answers mean is decided in `Requests`. */

const LONGEST_TIMER_MS = 2 ** 31 - 1;  // setTimeout takes no more, and would fire at once

export class Heartbeat {
  #requests;
  #url;
  #timer;
  #ending = 0;
  #end = new AbortController();
  #isAsking = false;

  /**
   * @param {import("./requests.js").Requests} requests
   * @param {{url: string, every_s: number}} heartbeat
   */
  constructor(requests, { url, every_s: everyS }) {
    this.#requests = requests;
    this.#url = url;
    this.#timer = setInterval(() => this.beat(), everyS * 1000);
    // Hidden pages have their timers slowed to one a minute: ask as soon as someone looks again.
    document.addEventListener("visibilitychange", () => this.beat(), { signal: this.#end.signal });
  }

  /**
   * End at a moment told by the server's clock; the device's own may be wrong by hours.
   *
   * @param {number} expiresAt ms @param {number} serverTime ms, now @param {() => void} onEnd
   */
  endAt(expiresAt, serverTime, onEnd) {
    const now = Number.isNaN(serverTime) ? Date.now() : serverTime;
    this.#ending = setTimeout(onEnd, Math.max(0, Math.min(LONGEST_TIMER_MS, expiresAt - now)));
  }

  async beat() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.#requests.get(this.#url, this.#end.signal);
    } catch {
      // Requests has told already: access ended, or no network. A busy server (503) says nothing about access.
    } finally {
      this.#isAsking = false;
    }
  }

  stop() {
    clearInterval(this.#timer);
    clearTimeout(this.#ending);
    this.#end.abort();
  }
}
