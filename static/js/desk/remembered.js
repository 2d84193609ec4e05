/**
 * What a reload needs to go on with an upload: addresses, kept under hashes of the files' paths.
 *
 * It lives in the tab (sessionStorage) and holds no name: folders are often called after the patient.
 */

const lifetimeMs = 12 * 3600 * 1000;

export class Remembered {
  #place;
  #kept;

  /** @param {string} place what it is kept under: the address of the patient's uploads */
  constructor(place) {
    this.#place = `upload ${place}`;
    try { this.#kept = JSON.parse(sessionStorage.getItem(this.#place)); } catch { this.#kept = null; }
    if (this.#kept && this.#kept.at < Date.now() - lifetimeMs) this.#kept = null;
  }

  /** The addresses of the upload under way, or null. */
  get upload() { return this.#kept?.upload ?? null; }

  begin(upload) {
    this.#kept = { at: Date.now(), salt: crypto.getRandomValues(new Uint32Array(4)).join(""), upload, files: {} };
    this.#save();
  }

  async locationOf(found) { return this.#kept?.files[await this.#nameOf(found)]; }

  async remember(found, location) {
    if (!this.#kept) return;
    this.#kept.files[await this.#nameOf(found)] = location;
    this.#save();
  }

  forget() {
    this.#kept = null;
    sessionStorage.removeItem(this.#place);
  }

  async #nameOf({ file, path }) {
    const text = `${this.#kept.salt} ${path} ${file.size} ${file.lastModified}`;
    // Not every test machine is a secure context, and only there is there a digest.
    if (!crypto.subtle) return text.length + ":" + file.size + ":" + file.lastModified;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    return [...digest.slice(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #save() {
    // Full or switched off: then a reload starts anew, and nothing else is lost.
    try { sessionStorage.setItem(this.#place, JSON.stringify(this.#kept)); } catch { /* as said */ }
  }
}
