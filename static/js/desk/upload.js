/** The drop zone of a patient's page: takes files, sends four at a time, says how far it is and what was refused. */

import { filesOfDrop, filesOfInput } from "./dropped.js";
import { Remembered } from "./remembered.js";
import { Refused, send, sentenceOf } from "./tus.js";

const AT_A_TIME = 4;
const SPEAK_EVERY_MS = 4000;
const LOOK_EVERY_MS = 1000;

class DropZone {
  #zone;
  #parts;
  #remembered;
  #stop = null;
  #spokenAt = 0;

  /** @param {HTMLElement} zone */
  constructor(zone) {
    this.#zone = zone;
    this.#parts = Object.fromEntries([...zone.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.#remembered = new Remembered(zone.dataset.start);
    for (const name of ["folder", "files"]) {
      this.#parts[name].addEventListener("change", ({ target }) => {
        this.#take(filesOfInput(target.files));
        target.value = "";
      });
    }
    this.#parts.stop.addEventListener("click", () => this.#stop?.abort(new DOMException("stopped", "AbortError")));
    this.#watchDrops();
    // The browser asks before a page is left while files are on their way.
    window.addEventListener("beforeunload", (event) => { if (this.#stop) event.preventDefault(); });
  }

  /** The whole page is the target: nobody aims while holding a telephone. */
  #watchDrops() {
    const root = document.documentElement;
    let depth = 0;
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; root.classList.add("is-dragging"); } });
    document.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) root.classList.remove("is-dragging"); });
    document.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
    document.addEventListener("drop", async (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      root.classList.remove("is-dragging");
      this.#take(await filesOfDrop(event.dataTransfer));
    });
  }

  async #take(found) {
    if (this.#stop) return this.#say("Wait until this upload is done, then drop the next.");
    if (found.length === 0) return this.#say("There are no files in what you dropped.");
    this.#stop = new AbortController();
    this.#parts.problems.replaceChildren();
    this.#parts.stop.hidden = false;
    this.#parts.sending.hidden = false;
    try {
      const upload = await this.#begin();
      await this.#sendAll(found, upload);
      await this.#finish(upload);
    } catch (error) {
      this.#parts.stop.hidden = true;
      const stopped = error.name === "AbortError";
      this.#say(stopped ? "Stopped. Drop the same folder again to go on." : error instanceof Refused ? error.message
        : "The upload did not start. Check the connection and drop the folder again.");
    } finally {
      this.#stop = null;
      this.#refreshRecord();
    }
  }

  /** Go on with the upload this tab began, if the server still takes it; else begin one. */
  async #begin() {
    const known = this.#remembered.upload;
    if (known) {
      const response = await fetch(known.status, { headers: { Accept: "application/json" } });
      if (response.ok && (await response.json()).state === "receiving") return known;
    }
    const upload = await (await this.#post(this.#zone.dataset.start)).json();
    this.#remembered.begin(upload);
    return upload;
  }

  async #sendAll(found, upload) {
    const total = found.reduce((sum, { file }) => sum + file.size, 0);
    const sent = new Map();
    const waiting = new Set();
    let done = 0;
    const show = () => {
      const bytes = [...sent.values()].reduce((sum, part) => sum + part, 0);
      this.#show({ bytes, total, done, count: found.length, isWaiting: waiting.size > 0 });
    };
    const queue = [...found];
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        try {
          await send(next, {
            files: upload.files, csrfToken: csrfToken(), signal: this.#stop.signal,
            location: await this.#remembered.locationOf(next),
            onLocation: (location) => this.#remembered.remember(next, location),
            onBytes: (bytes) => { sent.set(next, bytes); show(); },
            onWait: (waits) => { waits ? waiting.add(next) : waiting.delete(next); show(); },
          });
          done += 1;
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          sent.set(next, next.file.size);
          this.#refuse(next.path, error.message);
        }
        show();
      }
    };
    show();
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    if (done === 0) throw new Refused("None of these files could be sent.");
  }

  /** Close the upload and follow the worker until the images are stored. */
  async #finish(upload) {
    this.#parts.stop.hidden = true;
    await this.#post(upload.finish);
    this.#remembered.forget();
    this.#refreshRecord();
    for (;;) {
      const response = await fetch(upload.status, { headers: { Accept: "application/json", "X-Background": "1" } }).catch(() => null);
      const told = response?.ok ? await response.json() : null;
      if (told) this.#follow(told);
      if (told && !["waiting", "receiving"].includes(told.state)) break;
      if (response?.status === 401) location.reload();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    // The record above now says what became of it.
    this.#parts.sending.hidden = this.#parts.problems.childElementCount === 0;
  }

  async #post(url) {
    const response = await fetch(url, {
      method: "POST", signal: this.#stop?.signal, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
    });
    if (!response.ok) throw new Refused(await sentenceOf(response));
    return response;
  }

  #follow({ sentence, files_done: done, files_total: total }) {
    this.#parts.progress.max = Math.max(1, total);
    this.#parts.progress.value = done;
    this.#parts.bytes.textContent = "";
    this.#parts.count.textContent = total ? `${done} of ${total}` : "";
    this.#say(sentence);
  }

  #show({ bytes, total, done, count, isWaiting }) {
    this.#parts.progress.max = Math.max(1, total);
    this.#parts.progress.value = bytes;
    this.#parts.bytes.textContent = `${megabytes(bytes)} of ${megabytes(total)} MB`;
    this.#parts.count.textContent = `${done} of ${count} ${count === 1 ? "file" : "files"}`;
    const percent = Math.floor((100 * bytes) / Math.max(1, total));
    this.#parts.sentence.textContent = isWaiting ? "No connection. Trying again." : "Sending. You can go on working in another tab.";
    if (Date.now() - this.#spokenAt > SPEAK_EVERY_MS) {
      this.#spokenAt = Date.now();
      this.#parts.spoken.textContent = isWaiting ? "No connection. Trying again." : `${percent} percent sent.`;
    }
  }

  #say(sentence) {
    this.#parts.sending.hidden = false;
    if (this.#parts.sentence.textContent === sentence) return;
    this.#parts.sentence.textContent = sentence;
    this.#parts.spoken.textContent = sentence;
  }

  #refuse(path, sentence) {
    const line = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "code", textContent: path });
    line.append(name, ` ${sentence}`);
    this.#parts.problems.append(line);
  }

  #refreshRecord() { document.body.dispatchEvent(new Event("record-changed")); }
}

const csrfToken = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
const megabytes = (bytes) => (bytes / 1_000_000).toFixed(1);

const zone = document.getElementById("drop");
if (zone) new DropZone(zone);
