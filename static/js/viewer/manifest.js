/**
 * Fetching and checking the manifest, the viewer's only source of addresses and numbers. What isn't as agreed
 * is refused here, so that nothing downstream meets a surprise.
 */
import { CODEC } from "./codec.js";

export class ManifestError extends Error {}

/**
 * @typedef {object} Level
 * @property {number} level @property {number} Frames @property {number} Rows @property {number} Columns
 * @property {number} StripRows @property {number} Strips @property {number} bytes
 *
 * @typedef {object} Series Field names are those of the wire.
 * @property {string} id @property {string} title As its machine named it. @property {string} [name] In plain words.
 * @property {"volume"|"stack"|"image"} kind @property {number[]} teeth ISO 3950; of an X-ray coded for them.
 * @property {number} Rows @property {number} Columns @property {number} NumberOfFrames
 * @property {1|3} SamplesPerPixel @property {1|2} sample_bytes
 * @property {number} slope @property {number} intercept @property {[number, number]} value_range
 * @property {string} unit @property {{center: number, width: number}} window
 * @property {[number, number, number]|null} spacing_mm z, y, x @property {number[][]|null} directions
 * @property {Level[]} levels @property {string} frames
 * @property {{view: string, url: string, width: number, height: number}[]} previews
 * @property {{url: string, count: number}} slices @property {string[]} notices
 * @property {string|null} [ruler_notice] For those who measure.
 * @property {boolean} isDrawable False when the codec is one this viewer doesn't know: server images only.
 *
 * @typedef {object} Manifest
 * @property {string} title @property {string|null} date @property {string|null} expires_at
 * @property {{url: string, every_s: number}} heartbeat @property {number} batch_bytes
 * @property {string|null} download @property {Series[]} series @property {{title: string, reason: string}[]} others
 */

/**
 * @param {import("./requests.js").Requests} requests
 * @param {string} url
 * @returns {Promise<{manifest: Manifest, serverTime: number}>} serverTime in ms, NaN when not told.
 */
export async function loadManifest(requests, url) {
  const response = await requests.get(url);
  const manifest = checkManifest(await response.json(), new URL(url, document.baseURI).href);
  return { manifest, serverTime: Date.parse(response.headers.get("Date")) };
}

/**
 * @param {object} data The parsed JSON.
 * @param {string} base Where it came from; every URL must have the same origin.
 * @returns {Manifest}
 * @throws {ManifestError}
 */
export function checkManifest(data, base) {
  check(data?.version === 1, "version");
  check(Array.isArray(data.series), "series");
  check(isPositive(data.batch_bytes), "batch_bytes");
  check(isPositive(data.heartbeat?.every_s), "heartbeat");
  checkUrl(data.heartbeat.url, base);
  if (data.download) checkUrl(data.download, base);
  const series = data.series.map((one) => checkSeries(one, base));
  return { ...data, series, others: data.others ?? [] };
}

/** @param {Manifest} manifest @returns {Manifest} For patients: plain names, and no word of a ruler they don't have. */
export function inPlainWords(manifest) {
  const series = manifest.series.map((one) => ({ ...one, title: one.name ?? one.title, ruler_notice: null }));
  return { ...manifest, series };
}

function checkSeries(series, base) {
  check(["volume", "stack", "image"].includes(series.kind), "kind");
  for (const field of ["Rows", "Columns", "NumberOfFrames"]) check(isCount(series[field]), field);
  check([1, 3].includes(series.SamplesPerPixel), "SamplesPerPixel");
  check([1, 2].includes(series.sample_bytes), "sample_bytes");
  check(Number.isFinite(series.slope) && series.slope !== 0, "slope");
  check(Number.isFinite(series.intercept), "intercept");
  check(series.value_range?.length === 2 && series.value_range.every(Number.isFinite), "value_range");
  check(Number.isFinite(series.window?.center) && isPositive(series.window.width), "window");
  check(series.spacing_mm === null || series.spacing_mm.every(isPositive), "spacing_mm");
  check(series.levels?.length > 0, "levels");
  series.levels.forEach(checkLevel);
  for (const { url } of series.previews) checkUrl(url, base);
  checkUrl(series.frames, base);
  checkUrl(series.slices.url, base);
  return {
    ...series, notices: series.notices ?? [], teeth: series.teeth ?? [], isDrawable: series.codec === CODEC,
  };
}

function checkLevel(level, index) {
  check(level.level === index, "level");
  for (const field of ["Frames", "Rows", "Columns", "StripRows", "Strips"]) check(isCount(level[field]), field);
  check(level.Strips === Math.ceil(level.Rows / level.StripRows), "Strips");
  check(isPositive(level.bytes), "bytes");
}

function checkUrl(url, base) {
  check(typeof url === "string" && new URL(url, base).origin === new URL(base).origin, "url");
}

function check(isRight, field) {
  if (!isRight) throw new ManifestError(`The manifest's ${field} is not as agreed.`);
}

const isPositive = (value) => Number.isFinite(value) && value > 0;
const isCount = (value) => Number.isInteger(value) && value > 0;
