/** How much detail a device can hold, and which pyramid levels to fetch in which order. Pure. */

const MIB = 1024 * 1024;

/**
 * @param {{shortSide: number, hasTouch: boolean, deviceMemory?: number}} device shortSide in CSS pixels,
 *   deviceMemory in GiB where the browser tells it; savesData where its reader asked to be sent little.
 * @returns {number} Bytes of texture: phone 128 MiB, tablet or small laptop 256, desktop 1024; to save data 16.
 */
export function textureBudget({ shortSide, hasTouch, deviceMemory = 8, savesData = false }) {
  if (savesData) return 16 * MIB;
  if (hasTouch && shortSide < 600) return 128 * MIB;
  return hasTouch || deviceMemory <= 4 ? 256 * MIB : 1024 * MIB;
}

/**
 * The levels to load in full, coarse to fine: the third (or the last) at once, the second, then the finest that
 * fits the budget and the graphics card.
 *
 * @param {import("./manifest.js").Level[]} levels
 * @param {{budgetBytes: number, maxSide: number, isVolume: boolean, texelBytes: number, enough?: number}} limits
 *   `enough`: no finer level than this one is of use (a picture shown small).
 * @returns {number[]} Level numbers; never empty.
 */
export function levelsToLoad(levels, { budgetBytes, maxSide, isVolume, texelBytes, enough = 0 }) {
  const last = levels.length - 1;
  const fits = ({ level, Frames, Rows, Columns }) =>
    level >= enough
    && Frames * Rows * Columns * texelBytes <= budgetBytes
    && Math.max(Rows, Columns, isVolume ? Frames : 1) <= maxSide;
  const found = levels.findIndex(fits);
  const finest = found < 0 ? last : found;
  const starters = [3, 2].map((level) => Math.min(level, last)).filter((level) => level > finest);
  return [...new Set([...starters, finest])];
}

/**
 * @param {number} texelsPerPixel Level 0 texels under one screen pixel.
 * @param {number} last The coarsest level.
 * @returns {number} The coarsest level that still has a texel for every pixel.
 */
export function levelForScale(texelsPerPixel, last) {
  // A tenth more pixels than texels can't be seen, and saves a level four times the size.
  return Math.max(0, Math.min(last, Math.floor(Math.log2(texelsPerPixel * 1.1))));
}

/**
 * @param {number} centre @param {number} count
 * @returns {Generator<number>} Every index from 0 to count − 1, the centre first, then outwards.
 */
export function* centreOut(centre, count) {
  for (let step = 0; step < count; step += 1) {
    if (centre + step < count && centre + step >= 0) yield centre + step;
    if (step > 0 && centre - step >= 0 && centre - step < count) yield centre - step;
  }
}
