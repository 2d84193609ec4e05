/**
 * The viewer of one study: opens the manifest, shows a series on the canvas or on the image floor, listens to
 * people, and takes everything away when access ends.
 */
import { textureBudget } from "./budget.js";
import { Chooser } from "./chooser.js";
import { Controls } from "./controls.js";
import { Decoder } from "./decoder.js";
import { FloorView } from "./floor_view.js";
import { Hands } from "./hands.js";
import { Heartbeat } from "./heartbeat.js";
import { inPlainWords, loadManifest, ManifestError } from "./manifest.js";
import { endedCard, paragraphs, unbroken } from "./notes.js";
import { Renderer } from "./renderer.js";
import { AccessEnded, Requests } from "./requests.js";
import { StackView } from "./stack_view.js";
import { Status } from "./status.js";
import { readWords } from "./words.js";

const RETRY_MS = [1000, 2000, 4000, 8000];
const RESTORE_MS = 3000;

export class Viewer {
  #root;
  #face;
  #parts;
  #words;
  #status;
  #requests;
  #controls;
  #chooser;
  #heartbeat;
  #manifest;
  #series = null;
  #view = null;
  #renderer = null;
  #decoder = null;
  #restoring = 0;
  #isEnded = false;

  /**
   * @param {HTMLElement} root The page's viewer element, see templates/viewer/_viewer.html.
   * @param {object} [face] What a face of the viewer does its own way.
   * @param {(how: object) => object} [face.canvasView] Makes the view on the canvas, with StackView's names.
   * @param {typeof Renderer} [face.canvasRenderer]
   */
  constructor(root, { canvasView = (how) => new StackView(how), canvasRenderer = Renderer } = {}) {
    this.#root = root;
    this.#face = { canvasView, canvasRenderer };
    this.#parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    this.#words = readWords(document, root.dataset.wordsId);
    this.#status = new Status(this.#parts.status, this.#parts.again, this.#words);
    this.#requests = new Requests(() => this.#end(), (isThere) => this.#status.set("offline", !isThere));
    this.#controls = new Controls(this.#parts, this.#words, {
      onView: (view) => this.#change(() => this.#view.setView(view)),
      onIndex: (index) => this.#change(() => this.#view.setIndex(index)),
      onZoom: (factor) => this.#view?.zoomBy?.(factor),
      onReset: () => this.#view?.reset?.(),
      onPan: (dx, dy) => this.#view?.pan?.(dx, dy),
    });
    this.#listen();
  }

  /** Never leaves people in front of a page that says nothing: what goes wrong here is said, then thrown on. */
  async start() {
    try {
      await this.#begin();
    } catch (error) {
      this.#nothingToShow("failed");
      throw error;
    }
  }

  async #begin() {
    this.#root.dataset.state = "loading";
    this.#status.set("loading", true);
    const loading = this.#load();
    this.#prepare();  // takes its time on a phone, and the manifest is on its way
    const loaded = await loading;
    if (!loaded || this.#isEnded) return;
    const { manifest, serverTime } = loaded;
    this.#manifest = this.#root.dataset.face === "patient" ? inPlainWords(manifest) : manifest;
    this.#heartbeat = new Heartbeat(this.#requests, manifest.heartbeat);
    if (manifest.expires_at) {
      this.#heartbeat.endAt(Date.parse(manifest.expires_at), serverTime, () => this.#end());
    }
    this.#showStudy();
    const [first] = this.#manifest.series;
    if (!first) this.#nothingToShow("nothing");
    else if (this.#chooser.hasFirstPage) this.#showAll();
    else this.#open(first);
  }

  /** The manifest, asked for again while the network or the server fails. */
  async #load() {
    for (let turn = 0; !this.#isEnded; turn += 1) {
      try {
        return await loadManifest(this.#requests, this.#root.dataset.manifest);
      } catch (error) {
        if (error instanceof AccessEnded) return null;
        if (error instanceof ManifestError || error instanceof SyntaxError) {
          this.#nothingToShow("failed");
          return null;
        }
        this.#status.set("busy", true);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(turn, RETRY_MS.length - 1)]));
      }
    }
    return null;
  }

  #nothingToShow(why) {
    this.#root.dataset.state = "nothing";
    this.#status.set("loading", false);
    this.#status.set(why, true, this.#practice);
  }

  get #practice() {
    return { practice: this.#root.dataset.practiceName, phone: unbroken(this.#root.dataset.practicePhone) };
  }

  #showStudy() {
    const { title, download } = this.#parts;
    this.#status.set("busy", false);
    title.textContent = this.#manifest.title;
    if (download && this.#manifest.allows_download && this.#manifest.download) {
      download.href = this.#manifest.download;
      download.hidden = false;
    }
    this.#chooser = new Chooser(this.#parts, this.#manifest, {
      words: this.#words, onChoose: (series) => this.#open(series), onAll: () => this.#showAll(),
    });
  }

  /** The first page: nothing is open until someone chooses. */
  #showAll() {
    this.#view?.close();
    [this.#view, this.#series] = [null, null];
    for (const name of ["loading", "missing", "smaller", "busy", "simple"]) this.#status.set(name, false);
    this.#root.dataset.state = "choosing";
    this.#chooser.showAll();
  }

  /** The canvas and the workers, or neither: then it is the image floor. */
  #prepare() {
    try {
      if (!("DecompressionStream" in window)) throw new Error("No DecompressionStream here.");
      // The workers first: they come over the network while the shaders keep this thread.
      this.#decoder = new Decoder(() => this.#fallBack());
      this.#renderer = new this.#face.canvasRenderer(this.#parts.canvas, {
        onLost: () => this.#contextLost(), onRestored: () => this.#contextRestored(),
      });
    } catch {
      this.#fallBack();
    }
  }

  #open(series, place = {}) {
    this.#view?.close();
    this.#series = series;
    this.#chooser.mark(series.id);
    for (const name of ["missing", "smaller", "busy"]) this.#status.set(name, false);
    this.#status.set("loading", true);
    const canDraw = this.#renderer && series.isDrawable;
    this.#root.dataset.state = "loading";
    this.#root.dataset.engine = canDraw ? "canvas" : "floor";
    this.#view = null;
    this.#view = canDraw ? this.#canvasView(series, place) : this.#floorView(series, place);
    this.#showNotes(series);
    this.#change(() => {});
  }

  #canvasView(series, place) {
    const isTouch = navigator.maxTouchPoints > 0;
    const shortSide = Math.min(screen.width, screen.height);
    const savesData = navigator.connection?.saveData || matchMedia("(prefers-reduced-data: reduce)").matches;
    const means = {
      requests: this.#requests, decoder: this.#decoder, batchBytes: this.#manifest.batch_bytes,
      budgetBytes: textureBudget({ shortSide, hasTouch: isTouch, deviceMemory: navigator.deviceMemory, savesData }),
      // Phones promise textures of 16384 and give up long before.
      mostSide: isTouch ? 4096 : 16384,
    };
    return this.#face.canvasView({
      series, place, means, renderer: this.#renderer, parts: this.#parts, words: this.#words,
      onMoved: () => this.#change(() => {}),
      about: { practice: this.#root.dataset.practiceName, date: this.#manifest.date },
      onDrawn: (isShowable, progress) => this.#drawn(isShowable, progress),
      onTrouble: (trouble) => this.#trouble(trouble),
    });
  }

  #floorView(series, place) {
    this.#status.set("simple", true);
    return new FloorView({
      series, place, image: this.#parts.image,
      onShown: () => this.#drawn(true, 1), onTrouble: (trouble) => this.#trouble(trouble),
    });
  }

  #showNotes(series) {
    this.#parts.notes.replaceChildren(...paragraphs([...series.notices, series.ruler_notice].filter(Boolean)));
  }

  /** Do something to the view, then let the controls and the preview follow. */
  #change(deed) {
    if (!this.#view) return;
    const before = this.#view.view;
    deed();
    this.#controls.show(this.#view, this.#series.title);
    if (this.#root.dataset.state === "loading" || before !== this.#view.view) this.#showPreview();
  }

  /** Until the canvas has something, the server's small picture of the same view stands in. */
  #showPreview() {
    if (this.#root.dataset.engine !== "canvas") return;
    const preview = this.#series.previews.find(({ view }) => view === this.#view.view);
    const { image } = this.#parts;
    if (preview && image.getAttribute("src") !== preview.url) image.src = preview.url;
    image.hidden = !preview;
  }

  #drawn(isShowable, progress) {
    const bar = this.#parts.progress;
    bar.value = progress;
    bar.hidden = progress >= 1;
    if (!isShowable || this.#root.dataset.state === "shown") return;
    this.#root.dataset.state = "shown";
    this.#status.set("loading", false);
  }

  #trouble({ isLost, isSmaller, isBusy }) {
    if (isLost !== undefined) this.#status.set("missing", isLost);
    if (isSmaller) this.#status.set("smaller", true);
    if (isBusy !== undefined) this.#status.set("busy", isBusy);
  }

  #listen() {
    const { stage, again } = this.#parts;
    const onIndex = (index) => this.#change(() => this.#view.setIndex(index));
    new Hands(this.#parts, { viewOf: () => this.#view, onIndex });
    new ResizeObserver(() => this.#view?.resize?.()).observe(stage);
    again.addEventListener("click", () => {
      this.#status.set("missing", false);
      this.#view?.retry();
    });
    // Nothing may linger in the back-forward cache; who comes back, asks the server again.
    window.addEventListener("pagehide", () => this.#wipe());
    window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
  }

  #contextLost() {
    if (this.#isEnded) return;
    this.#status.set("restoring", true);
    this.#restoring = setTimeout(() => this.#fallBack(), RESTORE_MS);
  }

  #contextRestored() {
    clearTimeout(this.#restoring);
    this.#status.set("restoring", false);
    if (this.#view) this.#open(this.#series, this.#place);
  }

  /** Give the canvas up and show the server's pictures, at the same place if one was open. */
  #fallBack() {
    if (this.#isEnded || this.#root.dataset.engine === "floor") return;
    this.#status.set("restoring", false);
    const place = this.#place;
    this.#decoder?.close();
    [this.#renderer, this.#decoder] = [null, null];
    if (this.#series) this.#open(this.#series, place);
  }

  get #place() {
    const { view, index, memory } = this.#view ?? {};
    return this.#view ? { view, index, memory } : {};
  }

  /** Take everything away: requests, workers, textures, pictures. */
  #wipe() {
    this.#isEnded = true;
    clearTimeout(this.#restoring);
    this.#heartbeat?.stop();
    this.#view?.close();
    this.#renderer?.wipe();
    this.#decoder?.close();
    for (const image of this.#root.querySelectorAll("img")) image.removeAttribute("src");
    [this.#view, this.#series, this.#manifest] = [null, null, null];
  }

  #end() {
    if (this.#isEnded) return;
    this.#wipe();
    const card = endedCard(this.#words, this.#practice);
    this.#root.dataset.state = "ended";
    this.#root.replaceChildren(card);
    card.focus();
  }
}
