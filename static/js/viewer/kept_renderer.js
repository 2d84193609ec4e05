/**
 * A renderer whose canvas keeps its picture, for several views at a time: while one of them moves, those that stand as
 * they stood aren't drawn anew. A panorama takes fifty times the work of a slice.
 */
import { Renderer, THIN } from "./renderer.js";

export class KeptRenderer extends Renderer {
  #stands = [];        // where each view stands, and what it was drawn from

  constructor(canvas, events) {
    super(canvas, events, { preserveDrawingBuffer: true });
  }

  draw(views) {
    if (this.gl.isContextLost()) return;
    if (this.fit()) this.#stands = [];
    const next = views.map(standOf);
    const isLaidOut = next.length > 0 && next.length === this.#stands.length
      && next.every(({ rect }, i) => isSame(rect, this.#stands[i].rect));
    if (!isLaidOut) this.clear();
    views.forEach((view, i) => {
      if (isLaidOut && isSame(next[i].of, this.#stands[i].of)) return;
      if (isLaidOut) this.clear(view.rect);
      this.drawView(view);
    });
    this.#stands = next;
  }
}

/** `of` is null where it can't be told what the picture depends on: then it is drawn each time. */
function standOf({ rect, divide, fine, coarse, shade, isColour, place, slab = THIN, of }) {
  const isTold = (place || of) && !divide;
  return {
    rect: Object.values(rect),
    of: isTold ? [fine, fine.changes, coarse, coarse.changes, ...shade, isColour,
      ...Object.values({ ...place, ...slab }).flat(), ...(of ?? [])] : null,
  };
}

const isSame = (a, b) => Boolean(a && b) && a.length === b.length && a.every((one, i) => Object.is(one, b[i]));
