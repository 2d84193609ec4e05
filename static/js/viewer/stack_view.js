/**
 * A series on the canvas: which cut, how near, how bright. Draws when something changed, not otherwise.
 */
import { panoramaPlane } from "./panorama_plane.js";
import { panBy, pixelsPerMm, planeOf, screenToVoxel, viewsOf, voxelIndex, zoomAt } from "./planes.js";
import { Source } from "./source.js";

const WHOLE = { zoom: 1, centre: [0, 0] };

export class StackView {
  #how;
  #source;
  #plane;
  #panorama;
  #solid = null;
  #camera = WHOLE;
  #window;
  #index = new Map();
  #frame = 0;
  #request = 0;
  #size;
  #closed = false;

  /**
   * @param {object} how
   * @param {import("./manifest.js").Series} how.series
   * @param {import("./renderer.js").Renderer} how.renderer
   * @param {object} how.means What Source needs besides: requests, decoder, batchBytes, budgetBytes, mostSide.
   * @param {{view?: string, index?: number}} how.place Where to begin.
   * @param {() => void} how.onMoved Another view is shown than was.
   * @param {(isShowable: boolean, progress: number) => void} how.onDrawn
   * @param {(trouble: object) => void} how.onTrouble See Source.
   */
  constructor(how) {
    this.#how = how;
    const { series, renderer, means, place } = how;
    this.#size = renderer.resize(this.#ratio);
    this.#window = series.window;
    this.#panorama = panoramaPlane(series);
    this.views = [...(this.#panorama ? ["panorama"] : []), ...viewsOf(series),
      ...(series.kind === "volume" ? ["solid"] : [])];
    this.setView(this.views[0]);
    if (this.views.includes(place.view)) this.setView(place.view);
    if (place.index >= 0) this.setIndex(place.index);
    this.#frame = this.#storedFrame() ?? Math.floor(series.NumberOfFrames / 2);
    this.#source = new Source({
      ...means, series, gl: renderer.gl, frame: this.#frame, texelsPerPixel: this.#texelsPerPixel(),
      maxSide: Math.min(means.mostSide, renderer.maxSide(series.kind === "volume")),
      maxPictureSide: Math.min(means.mostSide, renderer.maxSide(false)),
      onChange: () => this.redraw(), onTrouble: how.onTrouble,
    });
    renderer.fit();  // it waits for the graphics card, now that the page waits for its data
    this.#look();
  }

  get view() {
    return this.#plane.view;
  }

  get count() {
    return this.#plane.count;
  }

  get index() {
    return this.#index.get(this.view) ?? Math.floor(this.count / 2);
  }

  get letters() {
    return this.#plane.lettersAt?.(this.index) ?? this.#plane.letters;
  }

  get isZoomed() {
    return this.#camera.zoom > 1;
  }

  get canZoom() {
    return true;
  }

  /** Brightness by eye is for X-ray pictures; a scan has presets, a photograph its colours. */
  get ownWindow() {
    const { kind, SamplesPerPixel, window } = this.#how.series;
    return kind === "image" && SamplesPerPixel === 1 ? window : null;
  }

  setView(view) {
    if (view === "solid" && !this.#solid) {
      this.#fetchSolid();
      return;
    }
    this.#plane = view === "solid" ? this.#solid : view === "panorama" ? this.#panorama : planeOf(this.#how.series, view);
    this.#camera = WHOLE;
    this.#look();
  }

  /** 3D is a script of its own, which no phone pays for before someone asks. Until it is here all stays as it is. */
  async #fetchSolid() {
    const { solidPlane } = await import("./solid_plane.js").catch(() => ({}));
    if (!solidPlane || this.#closed) return;
    this.#solid = solidPlane(this.#how.series, () => this.redraw());
    this.setView("solid");
    this.#how.onMoved();
  }

  setIndex(index) {
    this.#index.set(this.view, Math.max(0, Math.min(this.count - 1, Math.round(index))));
    this.#look();
  }

  /** @param {{center: number, width: number}} window In shown values. */
  setWindow(window) {
    this.#window = { center: window.center, width: Math.max(window.width, 1e-6) };
    this.redraw();
  }

  zoomBy(factor, x = 0, y = 0) {
    const { width, height } = this.#size;
    this.#camera = zoomAt(this.#camera, factor, this.#plane, width, height, x * this.#ratio, y * this.#ratio);
    this.#look();
  }

  pan(dx, dy) {
    const { width, height } = this.#size;
    this.#camera = panBy(this.#camera, this.#plane, width, height, dx * this.#ratio, dy * this.#ratio);
    this.redraw();
  }

  reset() {
    this.#camera = WHOLE;
    this.#look();
  }

  retry() {
    this.#source.retry();
  }

  /** The stage has another size. */
  resize() {
    this.#size = this.#how.renderer.resize(this.#ratio);
    this.#look();
  }

  redraw() {
    if (!this.#request && !this.#closed) this.#request = requestAnimationFrame(() => this.#draw());
  }

  close() {
    this.#closed = true;
    cancelAnimationFrame(this.#request);
    this.#panorama?.close();
    this.#solid?.close();
    this.#source.close();
  }

  /** A phone has one voxel of a scan to show in each CSS pixel, or two: a third device pixel would show no more. */
  get #ratio() {
    return Math.min(this.#how.series.kind === "volume" ? 2 : 3, window.devicePixelRatio || 1);
  }

  #texelsPerPixel() {
    const { spacing, across } = this.#plane;
    const perMm = pixelsPerMm(this.#plane, this.#camera, this.#size.width, this.#size.height);
    return 1 / (perMm * spacing[across[0]]);
  }

  /** The stored frame in view, or null when the view cuts across the frames. */
  #storedFrame() {
    return this.#plane.axis === 2 ? voxelIndex(this.#plane, this.index) : null;
  }

  #look() {
    if (!this.#source) return;  // still being made
    const frame = this.#storedFrame();
    this.#frame = frame ?? this.#frame;
    this.#source.look({ frame: this.#frame, texelsPerPixel: this.#texelsPerPixel(), isNative: frame !== null });
    this.redraw();
  }

  #place(width, height, { fine }) {
    const where = [this.index, this.#camera, width, height];
    const texelRamp = (from, to) => this.#source.shade({ center: (from + to) / 2, width: to - from });
    return this.#plane.drawing?.(...where, { fine, texelRamp }) ?? { place: screenToVoxel(this.#plane, ...where) };
  }

  #drawWith(textures) {
    const { renderer } = this.#how;
    const { width, height } = this.#size;
    const begun = performance.now();
    renderer.draw([{
      ...textures, rect: { x: 0, y: 0, width, height }, size: this.#plane.dims,
      ...this.#place(width, height, textures),
      shade: this.#source.shade(this.#window),
    }]);
    if (!this.#plane.took) return;
    renderer.wait();
    this.#plane.took(performance.now() - begun);
  }

  #draw() {
    this.#request = 0;
    const textures = this.#source.textures();
    if (textures) this.#drawWith(textures);
    this.#how.onDrawn(this.#source.isShowable, this.#source.progress);
  }
}
