/** What people do with their hands on the stage, as deeds of the view at hand. */
import { Gestures } from "./gestures.js";

const DOUBLE_TAP_ZOOM = 2.5;
const SLOWEST_PX = 24;  // a finger's way for one slice, at most

export class Hands {
  #stage;
  #viewOf;
  #onIndex;
  #carry = 0;

  /**
   * @param {Record<string, HTMLElement>} parts By their data-part.
   * @param {object} deeds
   * @param {() => object|null} deeds.viewOf The view at hand: a StackView or FloorView.
   * @param {(index: number) => void} deeds.onIndex Show another slice.
   */
  constructor({ stage }, { viewOf, onIndex }) {
    this.#stage = stage;
    this.#viewOf = viewOf;
    this.#onIndex = onIndex;
    new Gestures(stage, {
      onDrag: (dx, dy, { isTouch }) => this.#drag(dx, dy, isTouch),
      onPan: (dx, dy) => viewOf()?.pan?.(dx, dy),
      onZoom: (factor, x, y) => viewOf()?.zoomBy?.(factor, x, y),
      onDoubleTap: (x, y) => (viewOf()?.isZoomed ? viewOf().reset() : viewOf()?.zoomBy?.(DOUBLE_TAP_ZOOM, x, y)),
      onWheel: (steps) => this.#wheel(steps),
    });
  }

  /** One finger goes through the slices; a mouse that has zoomed in, or a single picture, is moved about. */
  #drag(dx, dy, isTouch) {
    const view = this.#viewOf();
    if (!view) return;
    if (view.count === 1 || (!isTouch && view.isZoomed)) view.pan?.(dx, dy);
    else this.#scroll(view, -dy);
  }

  /** A way over the whole stage is two thirds of the stack. */
  #scroll(view, pixels) {
    this.#carry += pixels * Math.max(1 / SLOWEST_PX, view.count / (1.5 * this.#stage.clientHeight));
    const steps = Math.trunc(this.#carry);
    this.#carry -= steps;
    if (steps) this.#onIndex(view.index + steps);
  }

  #wheel(steps) {
    const view = this.#viewOf();
    if (!view) return;
    if (view.count === 1) view.zoomBy?.(1.2 ** steps);
    else this.#onIndex(view.index + steps);
  }
}
