/**
 * Mouse and fingers on the workbench. Left: the tool at hand, or the crosshair. Right: the window. Middle, or with
 * shift: pan. Wheel: slices; with control: zoom. Two fingers: zoom and pan. Two taps: nearer, or all of it again.
 */

const WHEEL_PX = 60;
const PX_PER_SLICE = 8;
const TAP = { ms: 300, px: 24, zoom: 2.5 };
// How near a press must be to what it takes hold of: a finger hides what it points at.
const REACH_PX = { touch: 24, other: 16 };

export class BenchHands {
  #bench;
  #element;
  #pointers = new Map();
  #hold = null;        // {move, end}: what the pressed button or finger moves
  #before = null;      // how things stood before the first finger
  #isTouch = false;
  #taps = new Taps();
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
    // Browsers disagree on whether two taps are a double click.
    listen("dblclick", (event, at) => !this.#isTouch && this.#double(at));
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
    this.#isTouch = event.pointerType === "touch";
    const isAgain = this.#taps.down(at, event.timeStamp, this.#pointers.size);
    if (this.#pointers.size > 1) {
      this.#takeBack();
      return;
    }
    if (!this.#takeUp(at)) return;
    const { cross, jaw, measures } = this.#bench;
    if (!isAgain) this.#before = { cross, jaw, isMeasuring: measures.isWaiting };
    this.#hold = this.#holdOf(event, this.#inPane(at));
  }

  /** The first finger of two wasn't meant to point at anything. */
  #takeBack() {
    if (!this.#hold) return;
    const { isMeasuring, ...values } = this.#before;
    this.#hold = null;
    if (!isMeasuring) this.#bench.measures.drop();
    this.#bench.set(values);
  }

  #holdOf(event, [x, y]) {
    const bench = this.#bench;
    if (event.button === 2 || bench.tool === "light") return shifting(x, y, (dx, dy) => bench.shiftWindow(dx, dy));
    if (event.button === 1 || event.shiftKey) return shifting(x, y, (dx, dy) => bench.pan(dx, dy));
    const reach = this.#isTouch ? REACH_PX.touch : REACH_PX.other;
    return bench.measures.press(bench.pane, x, y, reach) ?? bench.pane.press(x, y, reach) ?? this.#scrolling(x, y);
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

  #up(event, at) {
    if (!this.#pointers.delete(event.pointerId)) return;
    this.#hold?.end?.();
    this.#hold = null;
    if (this.#isTouch && event.type === "pointerup" && this.#taps.isSecond(at, event.timeStamp)) this.#double(at);
  }

  #double(at) {
    const { tool, layout, layouts } = this.#bench;
    if (tool !== "cross" || !this.#takeUp(at)) return;
    if (this.#isTouch && (layout === "single" || layouts.length < 2)) this.#nearer(at);
    else if (layouts.length > 1) this.#bench.setLayout(layout === "single" ? layouts[0] : "single");
  }

  /** Or all of it again. The taps weren't meant to point at anything either. */
  #nearer(at) {
    const bench = this.#bench;
    const { cross, jaw } = this.#before;
    if (bench.isZoomed) bench.pane.reset();
    else bench.zoomBy(TAP.zoom, ...this.#fromMiddle(at));
    bench.set({ cross, jaw });
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

/** Tells two taps of one finger from a pull, a pinch and a second thought. */
class Taps {
  #down = null;
  #last = null;

  /** @returns {boolean} Soon after a tap at this place. */
  down(at, when, fingers) {
    this.#down = fingers === 1 ? at : null;
    return this.#follows(at, when);
  }

  /** @returns {boolean} The finger that goes up has tapped a second time. */
  isSecond(at, when) {
    const isTap = isNear(this.#down, at);
    const isSecond = isTap && this.#follows(at, when);
    this.#last = isTap && !isSecond ? { at, when } : null;
    return isSecond;
  }

  #follows(at, when) {
    return isNear(this.#last?.at, at) && when - this.#last.when < TAP.ms;
  }
}

const isNear = (one, other) => Boolean(one) && Math.hypot(one[0] - other[0], one[1] - other[1]) < TAP.px;
