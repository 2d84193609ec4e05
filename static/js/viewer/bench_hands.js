/**
 * Mouse and fingers on the workbench. Left: the tool at hand, or the crosshair. Right: the window. Middle, or with
 * shift: pan. Wheel: slices; with control: zoom. Two fingers: zoom and pan.
 */

const WHEEL_PX = 60;
const PX_PER_SLICE = 8;

export class BenchHands {
  #bench;
  #element;
  #pointers = new Map();
  #hold = null;        // {move, end}: what the pressed button or finger moves
  #wheel = 0;
  #end = new AbortController();

  /** @param {HTMLElement} element @param {import("./workbench.js").Workbench} bench */
  constructor(element, bench) {
    this.#element = element;
    this.#bench = bench;
    const listen = (name, deed) => element.addEventListener(name, (event) => {
      event.stopPropagation();  // the stage below has hands of its own, for pictures without a workbench
      deed.call(this, event, this.#place(event));
    }, { passive: false, signal: this.#end.signal });
    listen("pointerdown", this.#down);
    listen("pointermove", this.#move);
    listen("pointerup", this.#up);
    listen("pointercancel", this.#up);
    listen("wheel", this.#turn);
    listen("dblclick", this.#double);
    listen("contextmenu", (event) => event.preventDefault());
  }

  close() {
    this.#end.abort();
  }

  #place({ clientX, clientY }) {
    const { left, top } = this.#element.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** A place of the stage as one of the pane at hand. */
  #inPane([x, y]) {
    const { box } = this.#bench.pane;
    return [x - box.x, y - box.y];
  }

  #fromMiddle(at) {
    const { width, height } = this.#bench.pane.box;
    const [x, y] = this.#inPane(at);
    return [x - width / 2, y - height / 2];
  }

  #takeUp(at) {
    const name = this.#bench.paneAt(...at);
    if (name && name !== this.#bench.view) this.#bench.setView(name);
    return Boolean(name);
  }

  #down(event, at) {
    this.#element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size > 1) {
      this.#hold = null;
      return;
    }
    if (this.#takeUp(at)) this.#hold = this.#holdOf(event, this.#inPane(at));
  }

  #holdOf(event, [x, y]) {
    const bench = this.#bench;
    if (event.button === 2) return shifting(x, y, (dx, dy) => bench.shiftWindow(dx, dy));
    if (event.button === 1 || event.shiftKey) return shifting(x, y, (dx, dy) => bench.pan(dx, dy));
    return bench.measures.press(bench.pane, x, y) ?? bench.pane.press(x, y) ?? this.#scrolling(x, y);
  }

  #scrolling(x, y) {
    let carry = 0;
    return shifting(x, y, (dx, dy) => {
      carry -= dy / PX_PER_SLICE;
      const steps = Math.trunc(carry);
      carry -= steps;
      if (steps) this.#bench.setIndex(this.#bench.index + steps);
    });
  }

  #move(event, at) {
    const from = this.#pointers.get(event.pointerId);
    if (!from) {
      if (this.#bench.paneAt(...at) === this.#bench.view) this.#bench.measures.hover(this.#bench.pane, ...this.#inPane(at));
      return;
    }
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, from, at);
    else this.#hold?.move(...this.#inPane(at));
    this.#pointers.set(event.pointerId, at);
  }

  #pinch(id, from, to) {
    const [, other] = [...this.#pointers].find(([key]) => key !== id);
    const far = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
    this.#bench.pan((to[0] - from[0]) / 2, (to[1] - from[1]) / 2);
    const middle = [(to[0] + other[0]) / 2, (to[1] + other[1]) / 2];
    if (far(from) > 0 && far(to) > 0) this.#bench.zoomBy(far(to) / far(from), ...this.#fromMiddle(middle));
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    this.#hold?.end?.();
    this.#hold = null;
  }

  #double(event, at) {
    const { tool, layout, layouts } = this.#bench;
    if (tool !== "cross" || layouts.length < 2 || !this.#takeUp(at)) return;
    this.#bench.setLayout(layout === "single" ? layouts[0] : "single");
  }

  #turn(event, at) {
    event.preventDefault();
    if (!this.#takeUp(at)) return;
    const pixels = event.deltaY * (event.deltaMode === 1 ? WHEEL_PX : 1);
    if (event.ctrlKey || this.#bench.count === 1) {
      this.#bench.zoomBy(Math.exp(-pixels / 200), ...this.#fromMiddle(at));
      return;
    }
    this.#wheel += pixels;
    const steps = Math.trunc(this.#wheel / WHEEL_PX);
    this.#wheel -= steps * WHEEL_PX;
    if (steps) this.#bench.setIndex(this.#bench.index - steps);
  }
}

/** @returns {object} A hold that hands on how far it was pulled each time. */
function shifting(x, y, deed) {
  let [atX, atY] = [x, y];
  return {
    move: (toX, toY) => {
      deed(toX - atX, toY - atY);
      [atX, atY] = [toX, toY];
    },
  };
}
