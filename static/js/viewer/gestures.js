/**
 * Fingers, mouse and wheel on the picture, turned into deeds: scroll, pan, zoom, tap twice.
 * The picture moves, never the page: the stage has `touch-action: none`.
 */

const TAP_MS = 300;
const TAP_PX = 24;
const WHEEL_PX = 60;

/**
 * @typedef {object} Deeds Lengths in CSS pixels, places from the middle of the stage.
 * @property {(dx: number, dy: number, how: {isTouch: boolean}) => void} onDrag
 * @property {(dx: number, dy: number) => void} onPan @property {(factor: number, x: number, y: number) => void} onZoom
 * @property {(x: number, y: number) => void} onDoubleTap @property {(steps: number) => void} onWheel
 */

export class Gestures {
  #stage;
  #deeds;
  #pointers = new Map();
  #moved = 0;
  #wasPinch = false;
  #lastTap = { at: 0, x: 0, y: 0 };
  #wheel = 0;

  /** @param {HTMLElement} stage @param {Deeds} deeds */
  constructor(stage, deeds) {
    this.#stage = stage;
    this.#deeds = deeds;
    const listen = (name, deed) =>
      stage.addEventListener(name, deed.bind(this), { passive: false });
    listen("pointerdown", this.#down);
    listen("pointermove", this.#move);
    listen("pointerup", this.#up);
    listen("pointercancel", this.#up);
    listen("wheel", this.#turn);
    listen("contextmenu", (event) => event.preventDefault());
    listen("gesturestart", (event) => event.preventDefault());  // Safari's own pinch, where touch-action is unknown
  }

  #down(event) {
    if (event.target.closest("button, a")) return;
    if (this.#pointers.size === 0) [this.#moved, this.#wasPinch] = [0, false];
    this.#stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#pointers.size > 1) this.#wasPinch = true;
  }

  #move(event) {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const to = { x: event.clientX, y: event.clientY };
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    this.#moved += Math.hypot(dx, dy);
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, from, to);
    else if (!this.#wasPinch) this.#drag(event, dx, dy);
    this.#pointers.set(event.pointerId, to);
  }

  #drag(event, dx, dy) {
    if (event.buttons & 2) return;
    if (event.buttons & 4 || event.shiftKey) this.#deeds.onPan(dx, dy);
    else this.#deeds.onDrag(dx, dy, { isTouch: event.pointerType === "touch" });
  }

  #pinch(id, from, to) {
    const [, other] = [...this.#pointers].find(([key]) => key !== id);
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(to.x - other.x, to.y - other.y);
    this.#deeds.onPan((to.x - from.x) / 2, (to.y - from.y) / 2);
    if (before > 0 && after > 0) {
      this.#deeds.onZoom(after / before, ...this.#fromMiddle((to.x + other.x) / 2, (to.y + other.y) / 2));
    }
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || event.type === "pointercancel") return;
    if (this.#moved > 10 || this.#wasPinch || event.button > 0) return;
    const { at, x, y } = this.#lastTap;
    const isSecond = event.timeStamp - at < TAP_MS && Math.hypot(event.clientX - x, event.clientY - y) < TAP_PX;
    this.#lastTap = { at: isSecond ? 0 : event.timeStamp, x: event.clientX, y: event.clientY };
    if (isSecond) this.#deeds.onDoubleTap(...this.#fromMiddle(event.clientX, event.clientY));
  }

  #turn(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? WHEEL_PX : 1);
    if (event.ctrlKey) {  // also what a pinch on a laptop's pad arrives as
      this.#deeds.onZoom(Math.exp(-pixels / 200), ...this.#fromMiddle(event.clientX, event.clientY));
      return;
    }
    this.#wheel += pixels;
    const steps = Math.trunc(this.#wheel / WHEEL_PX);
    this.#wheel -= steps * WHEEL_PX;
    if (steps) this.#deeds.onWheel(-steps);
  }

  #fromMiddle(clientX, clientY) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  }
}
