/**
 * The dentist's view of a series: several panes on one canvas, cut by one crosshair, under one window. It stands
 * where the patient's StackView stands and answers to the same names, with the pane at hand as its view.
 *
 * Panes (layouts.js) use its public half: series, space, words, cross, unturned, slab, jaw, isCrossShown, isKept, isOnPaper,
 * solid, textures, texelRamp, moveTo, turn, redraw.
 */
import { pointAt } from "./arch.js";
import { BenchHands } from "./bench_hands.js";
import { boxesOf, layoutsFor, paneIn, PANES, panesFor } from "./layouts.js";
import { jawOf } from "./jaw.js";
import { Measures } from "./measures.js";
import { Overlay } from "./overlay.js";
import { dropPrint } from "./print.js";
import { Source } from "./source.js";
import { basesOf, cross, spaceOf, turned } from "./space.js";
import { Tools } from "./tools.js";

const WIDE_PX = 700;

export class Workbench {
  #how;
  #source;
  #panes;
  #boxes = new Map();
  #layout;
  #active;
  #size;
  #hands;
  #tools;
  #request = 0;
  #closed = false;

  /**
   * @param {object} how What StackView takes, and besides:
   * @param {Record<string, HTMLElement>} how.parts By their data-part.
   * @param {(key: string, values?: object) => string} how.words
   * @param {{practice: string, date: string|null}} how.about For what is kept or printed.
   * @param {() => void} how.onMoved Another place, pane or layout: what stands around the picture must follow.
   */
  constructor(how) {
    this.#how = how;
    const { series, renderer, means, place, parts, words } = how;
    this.series = series;
    this.words = words;
    this.about = how.about;
    this.space = spaceOf(series);
    this.window = series.window;
    this.isInverted = false;
    this.isCrossShown = true;
    this.isKept = false;
    this.isOnPaper = false;
    this.slab = { mm: 0, isMax: true };
    this.tool = "cross";
    this.solid = "bone";  // what the 3D view shows
    this.unturned = series.kind === "volume" ? basesOf(this.space.axes) : {};
    this.jaw = jawOf(series, this.space);
    this.cross = { at: this.#snapped(this.#begin), bases: this.unturned };
    this.measures = new Measures(this);
    this.views = panesFor(series);
    this.layouts = layoutsFor(this.views);
    this.#panes = new Map(this.views.map((name) => [name, new PANES[name](this, name)]));
    this.#size = renderer.resize();
    this.#active = this.views.includes(place.view) ? place.view : this.views[0];
    this.#layout = parts.stage.clientWidth < WIDE_PX || this.layouts.length < 2 ? "single" : this.layouts[0];
    this.#arrange();
    if (place.memory) this.#remember(place.memory);
    else if (place.index >= 0) this.pane.setIndex(place.index);
    this.#source = new Source({
      ...means, series, gl: renderer.gl, frame: this.#frame, texelsPerPixel: this.#texelsPerPixel,
      maxSide: Math.min(means.mostSide, renderer.maxSide(series.kind === "volume")),
      maxPictureSide: Math.min(means.mostSide, renderer.maxSide(false)),
      onChange: () => this.redraw(), onTrouble: how.onTrouble,
    });
    this.overlay = new Overlay(parts.stage, parts.canvas);
    this.#hands = new BenchHands(this.overlay.element, this);
    this.#tools = parts.tools ? new Tools(parts, this) : null;
    this.resize();  // the tools have taken room
  }

  // What the viewer and its controls ask of any view.

  get view() {
    return this.#active;
  }

  get pane() {
    return this.#panes.get(this.#active);
  }

  get count() {
    return this.pane.count;
  }

  get index() {
    return this.pane.index;
  }

  get letters() {
    return null;  // the panes draw their own
  }

  get canZoom() {
    return true;
  }

  get isZoomed() {
    return this.pane.isZoomed;
  }

  /** What a view made anew at the same place must know. */
  get memory() {
    const { window, isInverted, isCrossShown, slab, cross: crosshair, tool, solid, jaw, measures } = this;
    const values = { window, isInverted, isCrossShown, slab, cross: crosshair, tool, solid, jaw };
    return { values, layout: this.#layout, measured: measures.list };
  }

  /** Take a pane to hand; one that the layout doesn't hold is shown alone. */
  setView(name) {
    this.#active = name;
    this.#arrange();
    this.changed();
  }

  setIndex(index) {
    this.pane.setIndex(Math.round(index));
    this.changed();
  }

  setWindow({ center, width }) {
    this.window = { center, width: Math.max(width, 1e-6) };
    this.changed();
  }

  /** Right is wider, down is brighter; a drag over 600 pixels is the whole range of values. */
  shiftWindow(dx, dy) {
    const [low, high] = this.series.value_range;
    const step = (high - low) / 600;
    const { center, width } = this.window;
    this.setWindow({ center: center - dy * step, width: Math.max(step, width + dx * step) });
  }

  resetWindow() {
    this.setWindow(this.series.window);
  }

  /** x and y from the middle of the pane. */
  zoomBy(factor, x = 0, y = 0) {
    this.pane.zoomBy(factor, x, y);
    this.changed();
  }

  pan(dx, dy) {
    this.pane.pan(dx, dy);
    this.redraw();
  }

  /** All of it in view again, and the cuts square to the series. */
  reset() {
    for (const pane of this.#panes.values()) pane.reset();
    this.cross = { at: this.#snapped(this.cross.at), bases: this.unturned };
    this.changed();
  }

  retry() {
    this.#source.retry();
  }

  resize() {
    this.#size = this.#how.renderer.resize();
    this.#arrange();
    this.#look();
  }

  redraw() {
    if (!this.#request && !this.#closed) this.#request = requestAnimationFrame(() => this.#draw());
  }

  close() {
    this.#closed = true;
    cancelAnimationFrame(this.#request);
    this.#hands.close();
    this.#tools?.close();
    this.overlay.close();
    dropPrint();
    for (const pane of this.#panes.values()) pane.close?.();
    this.#source.close();
  }

  // What panes and tools ask.

  get layout() {
    return this.#layout;
  }

  setLayout(name) {
    this.#layout = name;
    this.#active = paneIn(name, this.#active);
    this.#arrange();
    this.changed();
  }

  /** @returns {boolean} The pane stands on the stage now. */
  shows(name) {
    return this.#boxes.has(name);
  }

  /** @returns {string|null} The pane under a place of the stage in CSS pixels. */
  paneAt(x, y) {
    for (const [name, box] of this.#boxes) {
      if (x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height) return name;
    }
    return null;
  }

  /** @param {number[]} mm Bring the crosshair there, as near as the series reaches. */
  moveTo(mm) {
    const at = mm.map((v, i) => Math.max(0, Math.min(this.space.size[i], v)));
    this.cross = { ...this.cross, at: this.cross.bases === this.unturned ? this.#snapped(at) : at };
    this.changed();
  }

  /** Turn the other cuts about a pane's normal. @param {number} angle Radians, clockwise on the screen. */
  turn(name, angle) {
    const { bases } = this.cross;
    const about = cross(bases[name].right, bases[name].down);
    const next = Object.entries(bases).map(([one, basis]) =>
      [one, one === name ? basis : turned(basis, about, angle)]);
    this.cross = { ...this.cross, bases: Object.fromEntries(next) };
    this.changed();
  }

  /** @param {object} values Of window, isInverted, slab, tool, isCrossShown, solid, jaw. */
  set(values) {
    if (values.tool && values.tool !== this.tool) this.measures.drop();
    Object.assign(this, values);
    this.changed();
  }

  /** @param {boolean} isNative The pane shows stored frames as they are, so one in full detail may stand in. */
  textures(isNative) {
    return this.#source.textures(isNative);
  }

  /** @returns {[number, number]} texel * x + y runs from 0 to 1 between two shown values. */
  texelRamp = (from, to) => this.#source.shade({ center: (from + to) / 2, width: to - from });

  /** Something that people can see has changed. */
  changed() {
    this.#look();
    this.#tools?.show();
    if (this.#source) this.#how.onMoved();
  }

  /** The stage as a box. */
  get whole() {
    const { clientWidth, clientHeight } = this.#how.parts.stage;
    return { x: 0, y: 0, width: clientWidth, height: clientHeight };
  }

  /**
   * @param {object} [box] The pane at hand alone, in this box; else all of the stage. @param {boolean} [isOnPaper]
   * @returns {HTMLCanvasElement[]} Picture and lines, drawn this moment and without what only helps the hand.
   */
  drawnNow(box, isOnPaper = false) {
    [this.isKept, this.isOnPaper] = [true, isOnPaper];
    if (box) [this.#boxes, this.pane.box] = [new Map([[this.#active, box]]), box];
    this.#draw();
    [this.isKept, this.isOnPaper] = [false, false];
    this.#arrange();
    this.redraw();
    return [this.#how.parts.canvas, this.overlay.element];
  }

  /** Device pixels per CSS pixel. */
  get ratio() {
    return Math.min(3, window.devicePixelRatio || 1);
  }

  /** The crosshair begins among the teeth, where they were found. */
  get #begin() {
    return this.jaw ? pointAt(this.jaw.arch, this.jaw.s) : this.space.middle;
  }

  get #frame() {
    return Math.min(this.space.dims[2] - 1, Math.floor(this.cross.at[2] / this.space.spacing[2]));
  }

  get #texelsPerPixel() {
    return 1 / ((this.pane.pixelsPerMm || 1) * this.ratio * this.space.spacing[0]);
  }

  /** A square cut goes through the middle of voxels, so that slices are seen as they were recorded. */
  #snapped(mm) {
    const { dims, spacing } = this.space;
    return mm.map((v, i) => (Math.max(0, Math.min(dims[i] - 1, Math.floor(v / spacing[i]))) + 0.5) * spacing[i]);
  }

  #remember({ values, layout, measured }) {
    Object.assign(this, values);
    this.measures.list = measured;
    this.#layout = layout;
    this.#arrange();
  }

  #arrange() {
    const { clientWidth, clientHeight } = this.#how.parts.stage;
    this.#boxes = boxesOf(this.#layout, this.#active, clientWidth, clientHeight);
    for (const [name, pane] of this.#panes) pane.box = this.#boxes.get(name) ?? { x: 0, y: 0, width: 0, height: 0 };
  }

  #look() {
    if (!this.#source) return;  // still being made
    const isNative = this.cross.bases === this.unturned || this.#active === "image";
    this.#source.look({ frame: this.#frame, texelsPerPixel: this.#texelsPerPixel, isNative, isFrame: false });
    this.redraw();
  }

  #draw() {
    this.#request = 0;
    if (this.textures(false)) this.#drawTimed();
    this.#how.onDrawn(this.#source.isShowable, this.#source.progress);
    this.overlay.paint(this, this.#boxes, this.#panes, this.#size, this.ratio);
  }

  #drawTimed() {
    const { renderer } = this.#how;
    const begun = performance.now();
    renderer.draw(this.#drawings());
    const timed = [...this.#boxes.keys()].map((name) => this.#panes.get(name)).find((pane) => pane.took);
    if (!timed) return;
    renderer.wait();
    timed.took(performance.now() - begun);
  }

  #drawings() {
    const ratio = this.ratio;
    const shade = this.#source.shade(this.window);
    return [...this.#boxes].map(([name, box]) => {
      const drawing = this.#panes.get(name).drawing(ratio);
      const [x, y] = [Math.round(box.x * ratio), Math.round(box.y * ratio)];
      const rect = {
        x, y,
        width: Math.min(Math.round(box.width * ratio), this.#size.width - x),
        height: Math.min(Math.round(box.height * ratio), this.#size.height - y),
      };
      return drawing && {
        rect, size: this.space.dims, shade: this.isInverted ? [-shade[0], 1 - shade[1]] : shade, ...drawing,
      };
    }).filter(Boolean);
  }
}
