/** Cuts square to the arch, side by side: the tongue on the left of each, the cheek on its right, the head up. */
import { SHEET_HEAD } from "./arch_sheet.js";
import { VOLUME_HEAD } from "./shaders.js";

export const CROSS_SECTION_FRAGMENT = `${VOLUME_HEAD}${SHEET_HEAD}
// mm along the curve: of the first cut, from one to the next
uniform float firstAlong, apart;
// the width of a cut
uniform float cutPixels;
// mm outwards and up, at a cut's top left corner
uniform vec2 first;
// mm
uniform float perPixel;

void main() {
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  float cut = floor(pixel().x / cutPixels);
  float s = firstAlong + apart * cut;
  if (s < 0.0 || s > curveLength) return;
  vec3 point, outward;
  onArch(s, point, outward);
  vec2 at = vec2(first.x + perPixel * (pixel().x - cut * cutPixels), first.y - perPixel * pixel().y);
  Sum sum = Sum(vec4(0.0), 0.0, false, false);
  add(sum, point + outward * at.x + up * at.y, false);
  colour.rgb = result(sum, false);
}`;

/**
 * @param {import("./arch_sheet.js").ArchSheet} sheet @param {import("./arch.js").Arch} arch
 * @param {number[]} spacing mm along x, y, z.
 * @param {{firstAlong: number, apart: number, cutPixels: number, first: number[], perPixel: number}} how
 * @returns {{fragment: string, of: unknown[], set: Function}} Of a View, see renderer.js.
 */
export function crossSectionDrawing(sheet, arch, spacing, { first, ...numbers }) {
  return {
    fragment: CROSS_SECTION_FRAGMENT, of: [arch, ...first, ...Object.values(numbers)],
    set: (gl, at) => {
      sheet.set(gl, at, arch, spacing);
      gl.uniform2fv(at("first"), first);
      for (const [name, value] of Object.entries(numbers)) gl.uniform1f(at(name), value);
    },
  };
}
