/**
 * Brings one series to the graphics card: levels in full from coarse to fine, then, when the eye rests, the
 * current frame in more detail than the whole could have. Says what there is to draw at any moment.
 */
import { centreOut, levelForScale, levelsToLoad } from "./budget.js";
import { halfOffset } from "./codec.js";
import { ItemStream } from "./item_stream.js";
import { FramesLayer, VolumeLayer } from "./layers.js";
import { PictureTexels, TextureRefused } from "./textures.js";

const REST_MS = 250;
// The first level is small: it comes whole, or something is wrong and people see what there is.
const PATIENCE_MS = 400;
const NOWHERE = [0, 0, 0];

export class Source {
  #how;
  #offset;
  #queue;
  #layers = [];        // coarse to fine, at most two: the one that is whole and the one that is coming
  #level = null;       // the one that is coming, or came last
  #stream = null;      // it comes by this one
  #detail = null;      // {frame, texels, stream}
  #rest = 0;
  #frame = 0;
  #texelsPerPixel = 1;
  #isNative = true;
  #isFrame = true;
  #patience = 0;
  #isLate = false;
  #isShown = false;    // something was drawn: from then on the picture follows the eye, come what may
  #closed = false;

  /**
   * @param {object} how
   * @param {import("./manifest.js").Series} how.series
   * @param {WebGL2RenderingContext} how.gl
   * @param {import("./requests.js").Requests} how.requests @param {import("./decoder.js").Decoder} how.decoder
   * @param {number} how.batchBytes @param {number} how.budgetBytes
   * @param {number} how.maxSide Of a texture that holds a level in full. @param {number} how.maxPictureSide Of 2D.
   * @param {number} how.texelsPerPixel Of the picture fitted into the view: no finer level is loaded in full.
   * @param {number} how.frame The first to be seen.
   * @param {() => void} how.onChange Something new can be drawn.
   * @param {(is: {isLost?: boolean, isSmaller?: boolean, isBusy?: boolean}) => void} how.onTrouble
   */
  constructor(how) {
    this.#how = how;
    this.#frame = how.frame;
    const { series, budgetBytes, maxSide, texelsPerPixel } = how;
    this.#offset = halfOffset(series);
    const isVolume = series.kind === "volume";
    this.#queue = levelsToLoad(series.levels, {
      budgetBytes, maxSide, isVolume, texelBytes: this.#isColour ? 4 : 2,
      enough: isVolume ? 0 : levelForScale(texelsPerPixel, series.levels.length - 1),
    });
    this.#nextLevel();
  }

  get #isColour() {
    return this.#how.series.SamplesPerPixel === 3;
  }

  /** Share of the full detail that is here, 0 to 1. */
  get progress() {
    return this.#queue.length ? 0 : (this.#stream?.progress ?? 1);
  }

  /** There is something to draw: all of the first level, or the slices in view, or what has come in good time. */
  get isShowable() {
    this.#isShown ||= this.#hasFirst();
    return this.#isShown;
  }

  #hasFirst() {
    const texels = this.#layers[0]?.texels(this.#frame);
    if (!texels) return false;
    if (!this.#isFrame || this.#how.series.kind !== "volume") {
      return (texels.isWhole || this.#isLate) && texels.states.some(Boolean);
    }
    // 0 is PART.awaited
    return texels.touched({ origin: [0, 0, this.#frame + 0.5], right: NOWHERE, down: NOWHERE }, 0, 0).every(Boolean);
  }

  /**
   * Texel value → brightness for a window in shown values, linear (DICOM PS3.3 C.11.2.1.2.1, in the continuous
   * form of the manifest).
   *
   * @param {{center: number, width: number}} window @returns {[number, number]} See shaders.js, `shade`.
   */
  shade({ center, width }) {
    const { slope, intercept } = this.#how.series;
    return [slope / width, (this.#offset * slope + intercept - center) / width + 0.5];
  }

  /**
   * @param {boolean} [isNative] As in `look`; said again where several cuts are drawn.
   * @returns {{fine: object, coarse: object, isColour: boolean}|null} What to draw now.
   */
  textures(isNative = this.#isNative) {
    if (!this.isShowable) return null;
    const [coarse, fine] = [this.#layers[0], this.#layers[this.#layers.length - 1]]
      .map((layer) => layer.texels(this.#frame));
    const detail = this.#detail?.frame === this.#frame ? this.#detail.texels : null;
    // A picture may show its strips as they come; over a volume the frame must be whole, the kinds don't mix.
    if (detail && this.#how.series.kind === "volume") {
      return isNative && detail.isWhole ? { fine: detail, coarse: detail, isColour: false }
        : { fine, coarse, isColour: false };
    }
    return { fine: detail ?? fine, coarse: detail ? fine : coarse, isColour: this.#isColour };
  }

  /**
   * The eye has moved.
   *
   * @param {{frame: number, texelsPerPixel: number, isNative: boolean}} look `frame` in stored order;
   *   `isNative` when the view shows frames as they were stored, not a cut across them; `isFrame` when besides that
   *   frame nothing is in view.
   */
  look({ frame, texelsPerPixel, isNative, isFrame = isNative }) {
    if (frame !== this.#frame) this.#dropDetail();
    this.#frame = frame;
    this.#texelsPerPixel = texelsPerPixel;
    this.#isNative = isNative;
    this.#isFrame = isFrame;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#settleDown(), REST_MS);
  }

  retry() {
    this.#stream?.retry();
    this.#detail?.stream.retry();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#rest);
    clearTimeout(this.#patience);
    this.#dropDetail();
    this.#stream?.close();
    for (const layer of this.#layers) layer.dispose();
    this.#layers = [];
  }

  #nextLevel() {
    if (this.#closed || !this.#queue.length) return;
    const level = this.#how.series.levels[this.#queue.shift()];
    const target = {
      put: (...one) => this.#layerOf(level)?.put(...one), lose: (item) => this.#layerOf(level)?.lose(item),
    };
    this.#level = level;
    this.#stream = this.#streamOf(level, target, () => this.#order(level), () => this.#levelDone());
    this.#stream.kick();
    if (!this.#layers.length) this.#layerOf(level);
  }

  /**
   * Who asks for room on the graphics card waits for all that it still does: the first level gets its place while its
   * data are on their way, any other with its first item, when the picture before it has been drawn.
   */
  #layerOf(level) {
    const last = this.#layers[this.#layers.length - 1];
    if (last?.level === level) return last;
    const layer = this.#makeLayer(level);
    if (!layer) return null;
    if (this.#layers.length > 1) this.#layers.shift().dispose();
    this.#layers.push(layer);
    return layer;
  }

  #makeLayer(level) {
    const { gl, series } = this.#how;
    try {
      return series.kind === "volume" ? new VolumeLayer(gl, level) : new FramesLayer(gl, level, this.#isColour);
    } catch (error) {
      if (!(error instanceof TextureRefused)) throw error;
      this.#refused(level);
      return null;
    }
  }

  /** A refused texture isn't an error: what is there stays, or a smaller level is taken, and people are told. */
  #refused({ level }) {
    const { series, onTrouble } = this.#how;
    onTrouble({ isSmaller: true });
    this.#stream.close();
    this.#stream = null;
    const isThere = this.#layers.some((layer) => layer.level.level <= level + 1);
    this.#queue = isThere || level + 1 === series.levels.length ? [] : [level + 1];
    this.#nextLevel();
  }

  #levelDone() {
    if (this.#queue.length) this.#nextLevel();
    else this.#allLoaded();
    this.#how.onChange();
  }

  #allLoaded() {
    if (this.#layers.length > 1) this.#layers.shift().dispose();
    this.#settleDown();
  }

  #streamOf(level, target, order, onSettled) {
    const { series, requests, decoder, batchBytes, onChange, onTrouble } = this.#how;
    const tell = (stream) => {
      this.#patience ||= setTimeout(() => this.#late(), PATIENCE_MS);
      return stream.isSettled ? onSettled() : onChange();
    };
    const decoding = this.#isColour ? { maximum: series.value_range[1] } : { offset: this.#offset };
    const stream = new ItemStream({
      series, level, requests, decoder, batchBytes, decoding, order,
      onItem: (item, texels) => {
        target.put(item, texels);
        tell(stream);
      },
      onLost: (item) => {
        target.lose(item);
        onTrouble({ isLost: true });
        tell(stream);
      },
      onBusy: (isBusy) => onTrouble({ isBusy }),
    });
    return stream;
  }

  #late() {
    this.#isLate = true;
    this.#how.onChange();
  }

  /** Frames from the visible one outwards, the strips of each in order. */
  * #order(level) {
    for (const frame of centreOut(this.#frameAt(level), level.Frames)) {
      for (let strip = 0; strip < level.Strips; strip += 1) yield frame * level.Strips + strip;
    }
  }

  /** The visible frame, in the numbering of a level. */
  #frameAt(level) {
    const step = this.#how.series.kind === "volume" ? 2 ** level.level : 1;
    return Math.min(level.Frames - 1, Math.floor(this.#frame / step));
  }

  #settleDown() {
    if (!this.#layers.length || this.#closed) return;
    this.#stream?.hurry(this.#frameAt(this.#level) * this.#level.Strips);
    const wanted = this.#detailLevel();
    if (wanted === null || this.#detail?.texels.level.level === wanted) return;
    this.#dropDetail();
    this.#startDetail(this.#how.series.levels[wanted]);
  }

  /** The level the current frame deserves alone, or null when the full levels already do. */
  #detailLevel() {
    const { series, maxPictureSide } = this.#how;
    if (!this.#isNative || this.#queue.length) return null;
    const full = this.#stream ? this.#level.level : this.#layers[this.#layers.length - 1].level.level;
    const fits = ({ Rows, Columns }) => Math.max(Rows, Columns) <= maxPictureSide;
    // Frames of a volume have partners only at level 0: above it a level's frame is the mean of several.
    const wanted = series.kind === "volume" ? 0 : levelForScale(this.#texelsPerPixel, series.levels.length - 1);
    const found = series.levels.findIndex((level, i) => i >= wanted && fits(level));
    return found >= 0 && found < full && (series.kind !== "volume" || found === 0) ? found : null;
  }

  #startDetail(level) {
    const { gl, onChange } = this.#how;
    const frame = this.#frame;
    const texels = this.#pictureOrNull(gl, level);
    if (!texels) return;
    const items = Array.from({ length: level.Strips }, (_, strip) => frame * level.Strips + strip);
    const stream = this.#streamOf(level, texels, () => items, onChange);
    this.#detail = { frame, texels, stream };
    stream.kick();
  }

  #pictureOrNull(gl, level) {
    try {
      return new PictureTexels(gl, level, this.#isColour);
    } catch (error) {
      if (error instanceof TextureRefused) return null;
      throw error;
    }
  }

  #dropDetail() {
    this.#detail?.stream.close();
    this.#detail?.texels.dispose();
    this.#detail = null;
  }
}
