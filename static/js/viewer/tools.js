/**
 * The dentist's tools: buttons, lists and keys that do the same deeds. The page brings the buttons and the words
 * (templates/viewer/_tools.html); here stands what they do.
 */
import { asFound, chosen, isCorrected } from "./jaw.js";
import { keepPicture } from "./keep.js";
import { deedOfKey } from "./keys.js";
import { printPicture } from "./print.js";

const FRAME_MS = 100;
const TURN = Math.PI / 36;
const THINNEST_MM = 0.5;
const THICKEST_MM = 30;
const NUDGE_PX = 10;

export class Tools {
  #bench;
  #parts;
  #playing = 0;
  #pointer = null;     // {pane, x, y}: where the keyboard measures
  #end = new AbortController();

  /**
   * @param {Record<string, HTMLElement>} parts By their data-part; without `tools` the page has none.
   * @param {import("./workbench.js").Workbench} bench
   */
  constructor(parts, bench) {
    this.#parts = parts;
    this.#bench = bench;
    const { tools, stage } = parts;
    const listen = (target, name, deed, capture = false) =>
      target.addEventListener(name, deed, { signal: this.#end.signal, capture });
    listen(tools, "click", ({ target }) => this.#do(target.closest("[data-do]")?.dataset.do));
    listen(tools, "change", ({ target }) => this.#choose(target));
    // On the way down, so that while measuring the arrows are ours.
    listen(stage.closest(".viewer"), "keydown", (event) => this.#key(event), true);
    listen(document, "visibilitychange", () => document.hidden && this.#stop());
    for (const option of this.#select("layout").options) option.hidden = !bench.layouts.includes(option.value);
    this.#select("layout").hidden = bench.layouts.length < 2;
    Object.assign(parts.presets, { hidden: bench.series.unit !== "HU", value: "" });
    tools.hidden = false;
    this.show();
  }

  close() {
    this.#stop();
    this.#end.abort();
    this.#parts.tools.hidden = true;
    this.#parts.measures.replaceChildren();
    this.#parts.keys.close();
  }

  /** Let the buttons say how things stand. */
  show() {
    const { tool, isInverted, isCrossShown, slab, layout, measures, solid, view, jaw } = this.#bench;
    const pressed = {
      cross: tool === "cross", distance: tool === "distance", angle: tool === "angle", light: tool === "light",
      invert: isInverted, hide: !isCrossShown, play: this.#playing > 0,
    };
    for (const [name, is] of Object.entries(pressed)) {
      this.#parts.tools.querySelector(`[data-do=${name}]`).setAttribute("aria-pressed", String(is));
    }
    this.#select("layout").value = layout;
    this.#select("solid").value = solid;
    this.#select("solid").hidden = view !== "solid";
    this.#select("slab").value = slab.mm ? (slab.isMax ? "max" : "mean") : "";
    this.#select("thickness").value = slab.mm || this.#select("thickness").value;
    this.#select("thickness").disabled = !slab.mm;
    this.#hideIdle();
    for (const one of this.#parts.tools.querySelectorAll("[data-jaw]")) one.value = jaw?.[one.dataset.jaw] ?? "";
    this.#tellMeasures(measures);
  }

  /** What does nothing in this view takes no room. */
  #hideIdle() {
    const { series, view, count, jaw } = this.#bench;
    this.#parts.tools.querySelector("[data-do=asFound]").hidden = !isCorrected(jaw);
    for (const one of this.#parts.tools.querySelectorAll("[data-for]")) {
      one.hidden = one.dataset.for !== series.kind || view === "solid";
    }
    this.#parts.tools.querySelector("[data-do=play]").hidden = count < 2;
    this.#parts.tools.querySelector("[data-do=light]").hidden = series.SamplesPerPixel > 1 || view === "solid";
    for (const name of ["distance", "angle", "remove"]) {
      this.#parts.tools.querySelector(`[data-do=${name}]`).hidden = view === "solid";
    }
    this.#parts.tools.querySelector("[data-part=jaw]").hidden =
      !["panorama", "sections"].some((name) => this.#bench.shows(name));
  }

  /** Read out by screen readers, which see no lines. */
  #tellMeasures({ list }) {
    const said = list.map((one) => this.#bench.words("measured", {
      kind: this.#bench.words(one.kind), size: this.#bench.measures.label(one),
    }));
    const { measures } = this.#parts;
    if ([...measures.children].map((one) => one.textContent).join() === said.join()) return;
    measures.replaceChildren(...said.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  #select(name) {
    return this.#parts.tools.querySelector(`[data-set=${name}]`);
  }

  #do(name) {
    const bench = this.#bench;
    const deed = {
      cross: () => bench.set({ tool: "cross" }),
      distance: () => bench.set({ tool: bench.tool === "distance" ? "cross" : "distance" }),
      angle: () => bench.set({ tool: bench.tool === "angle" ? "cross" : "angle" }),
      light: () => bench.set({ tool: bench.tool === "light" ? "cross" : "light" }),
      remove: () => bench.measures.remove(),
      invert: () => bench.set({ isInverted: !bench.isInverted }),
      hide: () => bench.set({ isCrossShown: !bench.isCrossShown }),
      turnLeft: () => this.#turn(-TURN),
      turnRight: () => this.#turn(TURN),
      reset: () => bench.reset(),
      asFound: () => bench.set({ jaw: asFound(bench.jaw, bench.space) }),
      slab: () => this.#nextSlab(),
      thicker: () => this.#thicken(1),
      thinner: () => this.#thicken(-1),
      layout: () => bench.setLayout(after(bench.layouts, bench.layout)),
      pane: () => bench.setView(after(bench.views, bench.view)),
      window: () => this.#nextWindow(),
      play: () => (this.#playing ? this.#stop() : this.#play()),
      keep: () => keepPicture(bench, this.#caption),
      print: () => printPicture(bench, this.#caption),
      help: () => this.#parts.keys.showModal(),
      leave: () => bench.set({ tool: "cross" }),
    }[name];
    deed?.();
    if (deed) this.show();
    return Boolean(deed);
  }

  #choose({ dataset, value }) {
    const { slab, jaw } = this.#bench;
    if (dataset.part === "presets") this.#presetTo(value);
    if (dataset.jaw) this.#bench.set({ jaw: chosen(jaw, dataset.jaw, Number(value)) });
    if (dataset.set === "layout") this.#bench.setLayout(value);
    if (dataset.set === "solid") this.#bench.set({ solid: value });
    if (dataset.set === "slab") this.#slabTo(value ? Number(this.#select("thickness").value) : 0, value !== "mean");
    if (dataset.set === "thickness" && Number(value) > 0) this.#slabTo(Number(value), slab.isMax);
  }

  #presetTo(value) {
    const [center, width] = value.split(",").map(Number);
    if (value) this.#bench.setWindow({ center, width });
    else this.#bench.resetWindow();
  }

  #slabTo(mm, isMax) {
    const bounded = mm && Math.max(THINNEST_MM, Math.min(THICKEST_MM, mm));
    this.#bench.set({ slab: { mm: bounded, isMax } });
  }

  #nextSlab() {
    const { mm, isMax } = this.#bench.slab;
    const usual = Number(this.#select("thickness").value) || 6;
    if (!mm) this.#slabTo(usual, true);
    else this.#slabTo(isMax ? mm : 0, !isMax);
  }

  #thicken(by) {
    const { mm, isMax } = this.#bench.slab;
    this.#slabTo(Math.max(0, mm + by), isMax);
  }

  #turn(angle) {
    const { cross, view, pane } = this.#bench;
    if (view in cross.bases) this.#bench.turn(view, angle);
    pane.turnBy?.(angle);
  }

  #nextWindow() {
    const { presets } = this.#parts;
    if (presets.hidden) return;
    presets.selectedIndex = (presets.selectedIndex + 1) % presets.options.length;
    this.#presetTo(presets.value);
  }

  #play() {
    const bench = this.#bench;
    this.#playing = setInterval(() => bench.setIndex((bench.index + 1) % bench.count), FRAME_MS);
  }

  #stop() {
    clearInterval(this.#playing);
    this.#playing = 0;
    if (!this.#end.signal.aborted) this.show();
  }

  get #caption() {
    const { title, notice } = this.#parts;
    const { practice, date } = this.#bench.about;
    return [[title.textContent, date, practice].filter(Boolean).join(" · "), notice.textContent.trim()];
  }

  #key(event) {
    const { target, key } = event;
    if (target.closest("input, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("button, a") && [" ", "Enter"].includes(key)) return;  // those press it
    if (!this.#arrowKey(event) && !this.#do(deedOfKey(key))) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** While measuring, arrows move a place on the picture and Enter takes it; with the window at hand they pull it. */
  #arrowKey({ key, shiftKey }) {
    const { measures, pane, tool } = this.#bench;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (way && tool === "light") {
      this.#bench.shiftWindow(...way.map((one) => one * NUDGE_PX));
      return true;
    }
    if (!measures.canBegin(pane) || !(way || key === "Enter")) return false;
    if (this.#pointer?.pane !== pane) this.#pointer = { pane, x: pane.box.width / 2, y: pane.box.height / 2 };
    const at = this.#pointer;
    if (way) {
      const far = shiftKey ? NUDGE_PX : 1;
      [at.x, at.y] = [at.x + way[0] * far, at.y + way[1] * far];
      measures.hover(pane, at.x, at.y);
    } else measures.press(pane, at.x, at.y)?.end();
    this.#bench.overlay.point(pane, [at.x, at.y]);
    this.#bench.redraw();
    return true;
  }
}

const after = (names, current) => names[(names.indexOf(current) + 1) % names.length];
